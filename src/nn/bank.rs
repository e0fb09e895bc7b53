//! The parameter bank: values by scope name and shape, so that graphs which share scopes share weights.

use indexmap::IndexMap;
use rand::RngExt;

use super::NnError;
use crate::ir::{Graph, Initial, Parameter, Weights};
use crate::random::{Rng, Seed, fnv1a};

/// Values of parameters off any device, by name and shape.
///
/// What a graph asks for and the bank does not hold yet is initialised from the bank's seed, the parameter's name and
/// its shape alone: the order of asking does not matter, and two graphs with one bank share every parameter whose name
/// and shape they have in common.
///
/// ```
/// use cellwright::Seed;
/// use cellwright::ir::{Conv, Graph, Primitive, Shape};
/// use cellwright::nn::Bank;
///
/// let mut graph = Graph::new(Shape::Map { channels: 1, height: 8, width: 8 });
/// let x = graph.add(Primitive::Conv(Conv::square(4, 3)), &[graph.input()])?;
/// graph.set_output(x);
/// let weights = Bank::new(Seed(7)).export(&graph);
/// assert_eq!(weights["conv/weight"].0, [4, 1, 3, 3]);
/// assert_eq!(weights, Bank::new(Seed(7)).export(&graph));
/// # Ok::<(), cellwright::ir::ShapeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bank {
    seed: Seed,
    values: IndexMap<(String, Vec<usize>), Vec<f32>>,
}

impl Bank {
    /// An empty bank; `seed` is where new parameters start from.
    pub fn new(seed: Seed) -> Bank {
        Bank { seed, values: IndexMap::new() }
    }

    /// Takes trained values in, replacing those of equal name and shape.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where an entry's values are not as many as its shape says; nothing is taken then.
    pub fn import(&mut self, weights: &Weights) -> Result<(), NnError> {
        for (name, (shape, values)) in weights {
            if shape.iter().product::<usize>() != values.len() {
                let count = values.len();
                return Err(NnError::Unfit(format!(
                    "weights `{name}` of shape {shape:?} hold {count} values"
                )));
            }
        }
        for (name, (shape, values)) in weights {
            self.values.insert((name.clone(), shape.clone()), values.clone());
        }
        Ok(())
    }

    /// The values of all parameters of `graph`, in its order.
    pub fn export(&mut self, graph: &Graph) -> Weights {
        let all = graph.parameters();
        all.iter().map(|one| (one.name.clone(), (one.shape.clone(), self.value(one).to_vec()))).collect()
    }

    /// One parameter's values, initialised if they are not there yet.
    pub(super) fn value(&mut self, parameter: &Parameter) -> &[f32] {
        let seed = self.seed;
        let key = (parameter.name.clone(), parameter.shape.clone());
        self.values.entry(key).or_insert_with(|| initial(parameter, seed))
    }

    /// What one parameter starts from.
    pub(super) fn started(&self, parameter: &Parameter) -> Vec<f32> {
        initial(parameter, self.seed)
    }

    /// Replaces one parameter's values.
    pub(super) fn store(&mut self, parameter: &Parameter, values: Vec<f32>) {
        debug_assert_eq!(values.len(), parameter.shape.iter().product::<usize>());
        self.values.insert((parameter.name.clone(), parameter.shape.clone()), values);
    }
}

fn initial(parameter: &Parameter, seed: Seed) -> Vec<f32> {
    let count = parameter.shape.iter().product();
    let shape: Vec<u8> = parameter.shape.iter().flat_map(|size| (*size as u64).to_le_bytes()).collect();
    let mut rng = seed.stream(fnv1a(&shape), &parameter.name);
    match parameter.initial {
        Initial::Constant(value) => vec![value as f32; count],
        Initial::Kaiming { fan } => {
            let deviation = (2.0 / fan.max(1) as f64).sqrt();
            std::iter::repeat_with(|| (normal(&mut rng) * deviation) as f32).take(count).collect()
        }
        Initial::Uniform { bound } => {
            std::iter::repeat_with(|| ((2.0 * rng.random::<f64>() - 1.0) * bound) as f32)
                .take(count)
                .collect()
        }
    }
}

/// A draw from the standard normal distribution ([Box and Muller 1958](https://doi.org/10.1214/aoms/1177706645)).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Conv, Primitive, Shape};

    fn graph(second: usize) -> Graph {
        let mut graph = Graph::new(Shape::Map { channels: 3, height: 8, width: 8 });
        let x = graph.add_named("a", Primitive::Conv(Conv::square(64, 3)), &[graph.input()]).unwrap();
        let x = graph.add_named("norm", Primitive::BATCH_NORM, &[x]).unwrap();
        let x = graph.add_named("b", Primitive::Conv(Conv::square(64, second)), &[x]).unwrap();
        graph.set_output(x);
        graph
    }

    #[test]
    fn graphs_share_what_has_the_same_name_and_shape() {
        let mut bank = Bank::new(Seed(3));
        let mut trained = bank.export(&graph(3));
        trained["a/weight"].1[0] = 42.0;
        trained["b/weight"].1[0] = 43.0;
        bank.import(&trained).unwrap();
        let other = bank.export(&graph(5));
        assert_eq!(other["a/weight"].1[0], 42.0, "shared");
        assert_eq!(other["b/weight"].0, [64, 64, 5, 5], "another shape, so another parameter");
        assert_eq!(bank.export(&graph(3)), trained, "and the first is untouched");
    }

    #[test]
    fn kaiming_has_its_deviation_and_norms_start_neutral() {
        let weights = Bank::new(Seed(1)).export(&graph(3));
        let values = &weights["b/weight"].1;
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        let wanted = 2.0 / (64.0 * 9.0);
        assert!(mean.abs() < 0.001 && (variance / wanted - 1.0).abs() < 0.05, "{mean} {variance} {wanted}");
        assert!(weights["norm/scale"].1.iter().all(|value| *value == 1.0));
        assert!(weights["norm/running_mean"].1.iter().all(|value| *value == 0.0));
        assert_ne!(weights["a/weight"].1[..8], weights["b/weight"].1[..8]);
    }

    #[test]
    fn weights_of_the_wrong_length_are_refused() {
        let mut bank = Bank::new(Seed(1));
        let bad = Weights::from_iter([("a/weight".to_string(), (vec![2, 2], vec![0.0; 3]))]);
        assert!(bank.import(&bad).unwrap_err().to_string().contains("`a/weight` of shape [2, 2] hold 3"));
    }
}
