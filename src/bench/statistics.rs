//! Means with their intervals, and ranks.

use serde::Serialize;

/// A mean over seeds and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The mean; not a number where a value is none.
    pub mean: f64,
    /// Half the width of the 95 % confidence interval by Student's t; not a number for a single value.
    pub half: f64,
}

impl Summary {
    /// Of independent values.
    ///
    /// ```
    /// use cellwright::bench::Summary;
    ///
    /// let summary = Summary::of(&[1.0, 2.0, 3.0]);
    /// assert_eq!(summary.mean, 2.0);
    /// assert!((summary.half - 4.303 / 3f64.sqrt()).abs() < 1e-3); // t of 2 degrees of freedom, deviation 1
    /// ```
    pub fn of(values: &[f64]) -> Summary {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let variance = squares / (count - 1.0);
        Summary { mean, half: student(values.len().saturating_sub(1)) * (variance / count).sqrt() }
    }

    /// The interval's low end.
    pub fn low(&self) -> f64 {
        self.mean - self.half
    }

    /// The interval's high end.
    pub fn high(&self) -> f64 {
        self.mean + self.half
    }
}

/// Student's t that leaves 2.5 % on either side, by degrees of freedom.
fn student(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788,
        2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639,
        2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
    ];
    match freedom {
        0 => f64::NAN,
        1..=30 => TABLE[freedom - 1],
        // Beyond the table the first terms of the expansion round the normal quantile are exact to four digits.
        _ => {
            let (normal, freedom) = (1.959_964_f64, freedom as f64);
            let first = (normal.powi(3) + normal) / (4.0 * freedom);
            let second =
                (5.0 * normal.powi(5) + 16.0 * normal.powi(3) + 3.0 * normal) / (96.0 * freedom * freedom);
            normal + first + second
        }
    }
}

/// The place of every value among all, 1 for the least; equal values share the mean of their places, and what is not a
/// number comes last.
///
/// ```
/// assert_eq!(cellwright::bench::ranks(&[0.3, 0.1, 0.3, 0.2]), [3.5, 1.0, 3.5, 2.0]);
/// ```
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let key = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
    let place = |value: &f64| {
        let below = values.iter().filter(|other| key(**other) < key(*value)).count();
        let equal = values.iter().filter(|other| key(**other) == key(*value)).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn intervals_by_hand() {
        // Mean 5, squares 16 + 4 + 0 + 4 + 16 = 40, variance 10, t of 4 degrees of freedom 2.7764.
        let five = Summary::of(&[1.0, 3.0, 5.0, 7.0, 9.0]);
        assert!(close(five.mean, 5.0) && close(five.half, 2.7764 * 2f64.sqrt()), "{five:?}");
        assert!(close(five.low(), 5.0 - five.half) && close(five.high(), 5.0 + five.half));
        assert_eq!(Summary::of(&[2.0, 2.0]), Summary { mean: 2.0, half: 0.0 });
        let one = Summary::of(&[7.0]);
        assert!(one.mean == 7.0 && one.half.is_nan());
        assert!(Summary::of(&[1.0, f64::NAN]).mean.is_nan());
    }

    #[test]
    fn student_s_t_by_the_tables() {
        // Published to three digits.
        for (freedom, t) in [
            (1, 12.706),
            (4, 2.776),
            (30, 2.042),
            (31, 2.040),
            (40, 2.021),
            (60, 2.000),
            (120, 1.980),
            (199, 1.972),
        ] {
            assert!((student(freedom) - t).abs() < 6e-4, "{freedom}: {}", student(freedom));
        }
        assert!(close(student(1_000_000), 1.95997));
    }

    #[test]
    fn ranks_with_ties_and_without_a_number() {
        assert_eq!(ranks(&[2.0, 1.0, 3.0]), [2.0, 1.0, 3.0]);
        assert_eq!(ranks(&[1.0, 1.0, 1.0]), [2.0, 2.0, 2.0]);
        assert_eq!(ranks(&[f64::NAN, 0.0, 5.0, 0.0]), [4.0, 1.5, 3.0, 1.5]);
        assert!(ranks(&[]).is_empty());
    }
}
