//! A policy that remembers: a long short-term memory of one layer.
//!
//! Zoph and Le 2017, <https://arxiv.org/abs/1611.01578>: every choice is embedded and fed to the network, whose state
//! then gives the logits of the next head. The backward pass is written by hand and held against differences.
//!
//! # Shapes
//! `units` are H, a row of choices has T steps. Gates stand in the order input, forget, cell, output.

use rand::RngExt;

use super::heads::{Action, Heads};
use super::policy::{Policy, Walk};
use crate::random::Rng;
use crate::search::gaussian::dot;

/// Weights are drawn from so far on both sides of 0, as in Zoph et al. 2018.
const SPREAD: f64 = 0.1;

/// The network. All parameters stand in one row, each matrix by rows.
pub(super) struct Lstm {
    heads: Heads,
    units: usize,
    parameters: Vec<f64>,
}

/// Where each part of the parameters begins.
struct Layout {
    gates: usize,         // [4 H, 2 H]: of the embedded choice and of the state before
    gate_biases: usize,   // [4 H]
    outputs: usize,       // [columns, H]
    output_biases: usize, // [columns]
    count: usize,
}

/// One step with what its backward pass needs.
#[derive(Clone)]
struct Step {
    /// The column of the choice before; `None` at the first step.
    token: Option<usize>,
    before: State,
    gates: Vec<f64>, // [4 H]
    after: State,
}

#[derive(Clone)]
struct State {
    hidden: Vec<f64>, // [H]
    cell: Vec<f64>,   // [H]
}

impl Lstm {
    pub fn start(heads: &Heads, units: usize, rng: &mut Rng) -> Lstm {
        let mut lstm = Lstm { heads: heads.clone(), units, parameters: Vec::new() };
        lstm.parameters = (0..lstm.layout().count).map(|_| rng.random_range(-SPREAD..SPREAD)).collect();
        lstm
    }

    /// The embeddings, a row of H for each column, come first.
    fn layout(&self) -> Layout {
        let (units, columns) = (self.units, self.heads.columns());
        let gates = columns * units;
        let gate_biases = gates + 4 * units * 2 * units;
        let outputs = gate_biases + 4 * units;
        let output_biases = outputs + columns * units;
        Layout { gates, gate_biases, outputs, output_biases, count: output_biases + columns }
    }

    fn rest(&self) -> State {
        State { hidden: vec![0.0; self.units], cell: vec![0.0; self.units] }
    }

    fn step(&self, token: Option<usize>, before: State) -> Step {
        let (units, layout) = (self.units, self.layout());
        let mut gates = self.parameters[layout.gate_biases..][..4 * units].to_vec();
        for (gate, sum) in gates.iter_mut().enumerate() {
            let row = &self.parameters[layout.gates + gate * 2 * units..][..2 * units];
            if let Some(token) = token {
                *sum += dot(&row[..units], &self.parameters[token * units..][..units]);
            }
            *sum += dot(&row[units..], &before.hidden);
            *sum = if gate / units == 2 { sum.tanh() } else { 1.0 / (1.0 + (-*sum).exp()) };
        }
        let gate = |number: usize, unit: usize| gates[number * units + unit];
        let cell: Vec<f64> = (0..units)
            .map(|unit| gate(1, unit) * before.cell[unit] + gate(0, unit) * gate(2, unit))
            .collect();
        let hidden = (0..units).map(|unit| gate(3, unit) * cell[unit].tanh()).collect();
        Step { token, before, gates, after: State { hidden, cell } }
    }

    fn logits(&self, head: usize, hidden: &[f64]) -> Vec<f64> {
        let layout = self.layout();
        let logit = |column: usize| {
            let row = &self.parameters[layout.outputs + column * self.units..][..self.units];
            self.parameters[layout.output_biases + column] + dot(row, hidden)
        };
        self.heads.range(head).map(logit).collect()
    }

    /// The steps of a row.
    fn steps(&self, actions: &[Action]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::with_capacity(actions.len());
        for number in 0..actions.len() {
            let (token, before) = match number.checked_sub(1) {
                None => (None, self.rest()),
                Some(last) => (
                    Some(self.heads.range(actions[last].head).start + actions[last].choice),
                    steps[last].after.clone(),
                ),
            };
            steps.push(self.step(token, before));
        }
        steps
    }

    /// One step back: adds its gradients, and turns the derivatives by the state after it into those by the state
    /// before it.
    fn step_back(&self, step: &Step, wanted: &mut State, gradient: &mut [f64]) {
        let (units, layout) = (self.units, self.layout());
        let mut sums = vec![0.0; 4 * units];
        for unit in 0..units {
            let gate = |number: usize| step.gates[number * units + unit];
            let squashed = step.after.cell[unit].tanh();
            let cell = wanted.cell[unit] + wanted.hidden[unit] * gate(3) * (1.0 - squashed * squashed);
            sums[unit] = cell * gate(2) * gate(0) * (1.0 - gate(0));
            sums[units + unit] = cell * step.before.cell[unit] * gate(1) * (1.0 - gate(1));
            sums[2 * units + unit] = cell * gate(0) * (1.0 - gate(2) * gate(2));
            sums[3 * units + unit] = wanted.hidden[unit] * squashed * gate(3) * (1.0 - gate(3));
            wanted.cell[unit] = cell * gate(1);
        }
        wanted.hidden.fill(0.0);
        for (gate, sum) in sums.iter().enumerate() {
            gradient[layout.gate_biases + gate] += sum;
            let start = layout.gates + gate * 2 * units;
            let row = &self.parameters[start..][..2 * units];
            if let Some(token) = step.token {
                let embedding = &self.parameters[token * units..][..units];
                add_scaled(&mut gradient[start..][..units], *sum, embedding);
                add_scaled(&mut gradient[token * units..][..units], *sum, &row[..units]);
            }
            add_scaled(&mut gradient[start + units..][..units], *sum, &step.before.hidden);
            add_scaled(&mut wanted.hidden, *sum, &row[units..]);
        }
    }
}

impl Policy for Lstm {
    fn parameters(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    fn walk(&self) -> Box<dyn Walk + '_> {
        Box::new(LstmWalk { lstm: self, token: None, state: self.rest() })
    }

    fn backward(&self, actions: &[Action], errors: &[Vec<f64>], gradient: &mut [f64]) {
        let layout = self.layout();
        let mut wanted = self.rest();
        for ((step, action), errors) in self.steps(actions).iter().zip(actions).zip(errors).rev() {
            for (column, error) in self.heads.range(action.head).zip(errors) {
                gradient[layout.output_biases + column] += error;
                let start = layout.outputs + column * self.units;
                add_scaled(&mut gradient[start..][..self.units], *error, &step.after.hidden);
                add_scaled(&mut wanted.hidden, *error, &self.parameters[start..][..self.units]);
            }
            self.step_back(step, &mut wanted, gradient);
        }
    }
}

struct LstmWalk<'a> {
    lstm: &'a Lstm,
    token: Option<usize>,
    state: State,
}

impl Walk for LstmWalk<'_> {
    fn logits(&mut self, head: usize) -> Vec<f64> {
        self.state = self.lstm.step(self.token, self.state.clone()).after;
        self.lstm.logits(head, &self.state.hidden)
    }

    fn choose(&mut self, head: usize, choice: usize) {
        self.token = Some(self.lstm.heads.range(head).start + choice);
    }
}

fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::spaces;
    use super::super::policy::{errors, follow, log_probability};
    use super::*;
    use crate::random::Seed;

    #[test]
    fn the_backward_pass_is_the_derivative() {
        let space = spaces::conditional();
        let heads = Heads::of(&space, 3);
        let mut lstm = Lstm::start(&heads, 4, &mut Seed(1).stream(0, "test"));
        // Larger than at first, so that all is bent.
        lstm.parameters.iter_mut().for_each(|parameter| *parameter *= 8.0);
        let actions = heads.actions(&space, &"0(0.7),2".parse().unwrap()).unwrap();
        assert_eq!(actions.len(), 3);
        let entropy = |all: &[Vec<f64>]| all.iter().flatten().map(|p| -p * p.ln()).sum::<f64>();
        let all = follow(&lstm, &actions);
        let errors: Vec<Vec<f64>> = all
            .iter()
            .zip(&actions)
            .map(|(probabilities, action)| errors(probabilities, action.choice, 1.3, 0.7))
            .collect();
        let mut gradient = vec![0.0; lstm.parameters.len()];
        lstm.backward(&actions, &errors, &mut gradient);
        for (place, gradient) in gradient.iter().enumerate() {
            let old = lstm.parameters[place];
            let mut worth = |by: f64| {
                lstm.parameters[place] = old + by;
                1.3 * log_probability(&lstm, &actions) + 0.7 * entropy(&follow(&lstm, &actions))
            };
            let slope = (worth(1e-5) - worth(-1e-5)) / 2e-5;
            lstm.parameters[place] = old;
            assert!((gradient - slope).abs() < 1e-7, "{place}: {gradient} is not {slope}");
        }
        assert!(gradient.iter().filter(|slope| slope.abs() > 1e-6).count() > gradient.len() / 3);
    }
}
