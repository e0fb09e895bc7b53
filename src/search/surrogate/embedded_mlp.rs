//! The first predictor of Progressive NAS as the paper has it: every token has an embedding, whichever slot it stands in.
//!
//! Liu et al. 2018, <https://arxiv.org/abs/1712.00559>, section 4.3: inputs and ops are embedded by two tables, a block is
//! its four embeddings joined, a cell is the mean of its blocks, and two hidden layers and a sigmoid follow; L1 loss, Adam,
//! all widths 100, the last bias at the mean target, five networks, each on another four fifths. Beside [`Mlp`], which is
//! plain Rust and learns what only one slot says without an embedding, this one shares tokens, ensemble and training with
//! [`Lstm`].
//!
//! [`Mlp`]: super::Mlp
//! [`Lstm`]: super::Lstm

use super::networks::networks;
use super::on_burn::{Ensemble, Reading};
use super::{Configure, Surrogate};

networks! {
    /// An ensemble of perceptrons over embeddings, on Burn; PNAS's figures are the defaults where it tells them. It does
    /// not tell how long they learn; here the rate falls to nothing in every fit.
    EmbeddedMlp { learning_rate: 0.002, epochs: 20, updates: 400, batch: 32 }
}

impl Configure for EmbeddedMlp {
    fn start(&self) -> Box<dyn Surrogate> {
        Box::new(Ensemble::new(self.form(), Reading::AtOnce))
    }
}
