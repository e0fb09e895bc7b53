//! What the augmentation of training pictures needs besides the loader's views: draws from a Beta distribution.

use rand::RngExt;

use super::bank::normal;
pub(super) use crate::loader::{View, shuffle};
use crate::random::Rng;

/// From bytes to numbers of mean 0 and deviation 1, channel by channel.
pub(super) type Normalizer = crate::loader::Tables<f32>;

/// A draw from Beta(alpha, alpha).
pub(super) fn beta(alpha: f64, rng: &mut Rng) -> f64 {
    let (a, b) = (gamma(alpha, rng), gamma(alpha, rng));
    // Both underflow for a tiny alpha, whose distribution is all at the ends.
    if a + b > 0.0 { a / (a + b) } else { f64::from(u8::from(rng.random::<bool>())) }
}

/// A draw from Gamma(shape, 1) ([Marsaglia and Tsang 2000](https://doi.org/10.1145/358407.358414)).
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        let boost = (1.0 - rng.random::<f64>()).powf(1.0 / shape);
        return gamma(shape + 1.0, rng) * boost;
    }
    let d = shape - 1.0 / 3.0;
    loop {
        let x = normal(rng);
        let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
        let u: f64 = 1.0 - rng.random::<f64>();
        if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn beta_has_its_mean_and_variance() {
        for alpha in [0.2, 1.0, 4.0] {
            let mut rng = Seed(9).stream(0, "beta");
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
            let wanted = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!(
                (mean - 0.5).abs() < 0.01 && (variance / wanted - 1.0).abs() < 0.05,
                "{alpha} {variance}"
            );
        }
    }
}
