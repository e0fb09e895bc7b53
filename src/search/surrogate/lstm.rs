//! The other predictor of Progressive NAS: an ensemble of recurrent networks that read a cell token by token.
//!
//! Liu et al. 2018, <https://arxiv.org/abs/1712.00559>, section 4.3: inputs and ops are embedded by two tables that all
//! blocks share, a long short-term memory reads them in order, and of its last state a sigmoid makes the prediction; L1
//! loss, Adam, embeddings and state of 100, the last bias at the mean target, five networks, each on another four fifths.
//! Here any slot that says something is a step, whatever its kind: several tokens of one slot are read at once.

use super::networks::networks;
use super::on_burn::{Ensemble, Reading};
use super::{Configure, Encoding, FeatureSet, Surrogate};
use crate::space::Space;

networks! {
    /// An ensemble of long short-term memories, on Burn; PNAS's figures are the defaults where it tells them. It does not
    /// tell how long they learn, and its rate falls from 0.01 to 0.002 after the first cells; here the rate falls to
    /// nothing in every fit.
    Lstm { learning_rate: 0.01, epochs: 10, updates: 300, batch: 16 }
}

impl Configure for Lstm {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Ensemble::new(self.form(), Reading::InOrder))
    }

    /// Every block's decisions by themselves: what is averaged has no order.
    fn encoding(&self, space: &Space, set: FeatureSet) -> Encoding {
        Encoding::in_order(space, set)
    }
}
