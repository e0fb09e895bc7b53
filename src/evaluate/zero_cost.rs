//! Zero-cost proxies: what a network's initial weights tell of what training will make of it.
//!
//! Abdelfattah et al. 2021, <https://arxiv.org/abs/2101.08134>: one batch of pictures, or none at all, ranks networks
//! nearly as well as some epochs of training, for the price of a step. Each proxy is a file here.

use serde::{Deserialize, Serialize};

use super::{Evaluate, Prepare};
use crate::data::Source;
use crate::error::Error;
use crate::space::Space;

/// Reports `synflow`, `naswot`, `jacob_cov` and `grad_norm`, or some of them, of all of which more is better, `params` and
/// `macs`. Every fidelity is the same: nothing is trained. Beside another evaluator it is what an experiment's
/// [`figures`](crate::Experiment::figures) are for.
///
/// ```
/// use cellwright::evaluate::ZeroCost;
///
/// let config: ZeroCost = ron::from_str("(data: Digits, proxies: [Naswot])")?;
/// assert_eq!(config.batch, 64);
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroCost {
    /// Where the pictures come from.
    pub data: Source,
    /// What is looked at: each proxy costs a pass through the network or several, `Naswot` the least.
    #[serde(default = "all")]
    pub proxies: Vec<Proxy>,
    /// Pictures looked at.
    #[serde(default = "sixty_four")]
    pub batch: usize,
    /// Processor threads of one evaluation.
    #[serde(default = "one")]
    pub threads: usize,
}

/// A zero-cost proxy; of all of them more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proxy {
    /// How much of a constant signal flows through the weights.
    Synflow,
    /// How well activations tell pictures apart.
    Naswot,
    /// How differently the network looks at different pictures.
    JacobCov,
    /// How much a first step would move.
    GradNorm,
}

impl Proxy {
    /// All of them.
    pub const ALL: [Proxy; 4] = [Proxy::Synflow, Proxy::Naswot, Proxy::JacobCov, Proxy::GradNorm];

    /// What its figure is called.
    pub fn metric(self) -> &'static str {
        match self {
            Proxy::Synflow => "synflow",
            Proxy::Naswot => "naswot",
            Proxy::JacobCov => "jacob_cov",
            Proxy::GradNorm => "grad_norm",
        }
    }
}

fn all() -> Vec<Proxy> {
    Proxy::ALL.to_vec()
}

fn sixty_four() -> usize {
    64
}

fn one() -> usize {
    1
}

impl ZeroCost {
    /// What it reports.
    fn metrics(&self) -> Vec<&'static str> {
        self.proxies.iter().map(|proxy| proxy.metric()).chain(["params", "macs"]).collect()
    }
}

impl Prepare for ZeroCost {
    fn reports(&self) -> Vec<&str> {
        self.metrics()
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
