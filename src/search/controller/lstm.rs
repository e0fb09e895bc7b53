//! A policy that remembers: a long short-term memory of one layer, on Burn.
//!
//! Zoph and Le 2017, <https://arxiv.org/abs/1611.01578>: every choice is embedded and fed to the network, whose state
//! then gives the logits of the next head. A batch of rows is one step of the network; the figures are the same to the
//! bit whenever it learns anew from the same trials.

use serde::{Deserialize, Serialize};

use super::heads::{Action, Heads};
use super::policy::{Policy, Walk, Wants};
use crate::nn::{Reader, Speaker};
use crate::random::Seed;

/// A long short-term memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recurrent {
    /// Width of its state and of a choice's embedding; Zoph et al. 2018 take 100.
    pub units: usize,
}

impl Default for Recurrent {
    fn default() -> Recurrent {
        Recurrent { units: 100 }
    }
}

/// The network: every column of every head is a token that it says and then reads.
pub(super) struct Lstm {
    heads: Heads,
    network: Speaker,
    rate: f64,
}

impl Lstm {
    pub fn start(config: &Recurrent, heads: &Heads, rate: f64, seed: Seed) -> Lstm {
        let mut rng = seed.stream(0, "controller weights");
        let network = Speaker::new(heads.columns().max(1), config.units.max(1), &mut rng);
        Lstm { heads: heads.clone(), network, rate }
    }

    /// What is read at each step of a row: the choice before.
    fn read(&self, actions: &[Action]) -> Vec<Option<usize>> {
        let token = |action: &Action| Some(self.heads.range(action.head).start + action.choice);
        [None].into_iter().chain(actions.iter().map(token)).take(actions.len()).collect()
    }
}

impl Policy for Lstm {
    fn walk(&self) -> Box<dyn Walk + '_> {
        Box::new(LstmWalk { heads: &self.heads, reader: self.network.reader(), token: None })
    }

    fn climb(&mut self, rows: &[&[Action]], wants: &mut Wants) {
        let read: Vec<_> = rows.iter().map(|actions| self.read(actions)).collect();
        let heads = &self.heads;
        self.network.climb(self.rate, &read, |all| {
            let row = |(number, (actions, all)): (usize, (&&[Action], Vec<Vec<f32>>))| {
                let own = |(action, all): (&Action, &Vec<f32>)| wide(&all[heads.range(action.head)]);
                let logits: Vec<Vec<f64>> = actions.iter().zip(&all).map(own).collect();
                let mut slopes: Vec<Vec<f32>> = all.iter().map(|all| vec![0.0; all.len()]).collect();
                for ((slopes, action), wanted) in slopes.iter_mut().zip(*actions).zip(wants(number, &logits))
                {
                    let columns = slopes[heads.range(action.head)].iter_mut();
                    columns.zip(wanted).for_each(|(slope, wanted)| *slope = wanted as f32);
                }
                slopes
            };
            rows.iter().zip(all).enumerate().map(row).collect()
        });
    }
}

struct LstmWalk<'a> {
    heads: &'a Heads,
    reader: Reader<'a>,
    token: Option<usize>,
}

impl Walk for LstmWalk<'_> {
    fn logits(&mut self, head: usize) -> Vec<f64> {
        wide(&self.reader.read(self.token)[self.heads.range(head)])
    }

    fn choose(&mut self, head: usize, choice: usize) {
        self.token = Some(self.heads.range(head).start + choice);
    }
}

fn wide(logits: &[f32]) -> Vec<f64> {
    logits.iter().copied().map(f64::from).collect()
}
