//! Features as the rows of a table in which every number is a single column: what trees split.

use super::{Features, Layout, Measure};

/// Where each column of a layout goes in the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Dense {
    /// The table's column, and the place along the line where the slot is a number.
    columns: Vec<(u32, Option<f32>)>,
    /// The value of every column of the table where nothing is said: 0, or [`ABSENT`] for numbers.
    empty: Vec<f32>,
}

/// A number that is not there, because its decision is not active, is below all that are.
const ABSENT: f32 = -1.0;

impl Dense {
    pub fn of(layout: &Layout) -> Dense {
        let mut dense = Dense::default();
        for slot in &layout.slots {
            if slot.measure == Measure::Number {
                let column = dense.empty.len() as u32;
                let last = slot.width.saturating_sub(1).max(1) as f32;
                dense.columns.extend((0..slot.width).map(|knot| (column, Some(knot as f32 / last))));
                dense.empty.push(ABSENT);
            } else {
                let start = dense.empty.len();
                dense.columns.extend((0..slot.width).map(|token| ((start + token) as u32, None)));
                dense.empty.extend(std::iter::repeat_n(0.0, slot.width));
            }
        }
        dense
    }

    /// The number of columns of the table.
    pub fn width(&self) -> usize {
        self.empty.len()
    }

    /// A candidate's row. Where a number has several tokens, as knots or in several blocks, it is their mean.
    pub fn row(&self, features: &Features) -> Vec<f32> {
        let mut row = self.empty.clone();
        let mut weights: Vec<(u32, f32, f32)> = Vec::new();
        for (column, weight) in features {
            match self.columns[*column as usize] {
                (column, None) => row[column as usize] += weight,
                (column, Some(place)) => match weights.iter_mut().find(|(known, ..)| *known == column) {
                    Some((_, sum, total)) => {
                        *sum += weight * place;
                        *total += weight;
                    }
                    None => weights.push((column, weight * place, *weight)),
                },
            }
        }
        for (column, sum, total) in weights.into_iter().filter(|(.., total)| *total > 0.0) {
            row[column as usize] = sum / total;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_column_and_absent_ones_below_all_others() {
        let mut layout = Layout::default();
        layout.add(2);
        layout.add_measured(5, Measure::Number);
        layout.add_measured(2, Measure::Bag);
        let dense = Dense::of(&layout);
        assert_eq!(dense.width(), 5);
        let row = dense.row(&vec![(1, 1.0), (3, 0.5), (4, 0.5), (8, 3.0)]);
        assert_eq!(row, [0.0, 1.0, 0.375, 0.0, 3.0]);
        assert_eq!(dense.row(&vec![(0, 1.0)]), [1.0, 0.0, ABSENT, 0.0, 0.0]);
    }
}
