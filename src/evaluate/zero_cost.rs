//! Zero-cost proxies: what a network's initial weights tell of what training will make of it.
//!
//! Abdelfattah et al. 2021, <https://arxiv.org/abs/2101.08134>: one batch of pictures, or none at all, ranks networks
//! nearly as well as some epochs of training, for the price of a step. Each proxy is a file here.

use serde::{Deserialize, Serialize};

use super::{Evaluate, Prepare};
use crate::data::Source;
use crate::error::Error;
use crate::space::Space;

/// Reports `synflow`, `naswot`, `jacob_cov` and `grad_norm`, of all of which more is better, `params` and `macs`. Every
/// fidelity is the same: nothing is trained.
///
/// ```
/// use cellwright::evaluate::ZeroCost;
///
/// let config: ZeroCost = ron::from_str("(data: Digits)")?;
/// assert_eq!(config.batch, 64);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroCost {
    /// Where the pictures come from.
    pub data: Source,
    /// Pictures looked at.
    #[serde(default = "sixty_four")]
    pub batch: usize,
    /// Processor threads of one evaluation.
    #[serde(default = "one")]
    pub threads: usize,
}

fn sixty_four() -> usize {
    64
}

fn one() -> usize {
    1
}

/// What it reports.
const METRICS: &[&str] = &["synflow", "naswot", "jacob_cov", "grad_norm", "params", "macs"];

impl Prepare for ZeroCost {
    fn reports(&self) -> Vec<&str> {
        METRICS.to_vec()
    }

    #[cfg(feature = "train")]
    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        Ok(Box::new(proxies::Proxies::new(self)?))
    }

    #[cfg(not(feature = "train"))]
    fn prepare(&self, _space: &Space) -> Result<Box<dyn Evaluate>, Error> {
        Err(Error::WithoutTraining)
    }
}

#[cfg(feature = "train")]
mod grad_norm;
#[cfg(feature = "train")]
mod jacob_cov;
#[cfg(feature = "train")]
mod naswot;
#[cfg(feature = "train")]
mod proxies;
#[cfg(feature = "train")]
mod spectrum;
#[cfg(feature = "train")]
mod synflow;
