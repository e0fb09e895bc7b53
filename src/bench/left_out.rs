//! What would be chosen without each space: a choice of defaults that no space makes for itself.

use serde::Serialize;

use super::{Curve, SpaceResults, ranks};

/// A space left out, and who is ahead on the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    /// The space that has no say.
    pub space: String,
    /// The algorithm of the least mean rank over the other spaces, all seeds and all budgets.
    pub chosen: String,
    /// Its mean rank.
    pub rank: f64,
    /// Who comes next.
    pub next: String,
    /// The next one's mean rank.
    pub next_rank: f64,
    /// The chosen one's mean rank on the space itself, which had no say.
    pub own_rank: f64,
}

/// Of every space in turn; nothing where there are too few spaces or algorithms to choose by.
pub(super) fn left_out(spaces: &[SpaceResults], algorithms: &[String]) -> Vec<LeftOut> {
    if spaces.len() < 3 || algorithms.len() < 2 {
        return Vec::new();
    }
    let own: Vec<Vec<f64>> = spaces.iter().map(mean_ranks).collect();
    let of = |out: usize| {
        let others = own.iter().enumerate().filter(|(space, _)| *space != out).map(|(_, means)| means);
        let means = average(&others.collect::<Vec<_>>());
        let mut order: Vec<usize> = (0..means.len()).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        LeftOut {
            space: spaces[out].label.clone(),
            chosen: algorithms[order[0]].clone(),
            rank: means[order[0]],
            next: algorithms[order[1]].clone(),
            next_rank: means[order[1]],
            own_rank: own[out][order[0]],
        }
    };
    (0..spaces.len()).map(of).collect()
}

/// The mean rank of every algorithm on a space, over its budgets and seeds.
fn mean_ranks(space: &SpaceResults) -> Vec<f64> {
    let of_axis = |curves: &[Curve]| -> Vec<Vec<f64>> {
        let budgets = curves.first().map_or(0, |curve| curve.at_budgets.len());
        let seeds = curves.first().and_then(|curve| curve.at_budgets.first()).map_or(0, Vec::len);
        let field = |budget: usize, seed: usize| {
            ranks(&curves.iter().map(|curve| curve.at_budgets[budget][seed]).collect::<Vec<f64>>())
        };
        (0..budgets).flat_map(|budget| (0..seeds).map(move |seed| field(budget, seed))).collect()
    };
    let fields: Vec<Vec<f64>> = space.axes.iter().flat_map(|axis| of_axis(&axis.curves)).collect();
    average(&fields.iter().collect::<Vec<_>>())
}

/// Column by column.
fn average(rows: &[&Vec<f64>]) -> Vec<f64> {
    let columns = rows.first().map_or(0, |row| row.len());
    let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
    (0..columns).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::results;
    use super::*;

    #[test]
    fn each_space_is_judged_by_a_choice_of_the_others() {
        let mut first = results().spaces.remove(0);
        first.label = "a".into();
        // Two budgets of three seeds: the second algorithm is never ahead at 10 and never behind at 50.
        let means = mean_ranks(&first);
        assert_eq!(
            means,
            [(1.5 + 1.0 + 1.0 + 2.0 + 2.0 + 2.0) / 6.0, (1.5 + 2.0 + 2.0 + 1.0 + 1.0 + 1.0) / 6.0]
        );
        let (mut second, mut third) = (first.clone(), first.clone());
        (second.label, third.label) = ("b".into(), "c".into());
        // On the third the order is the other way round.
        let [one, other] = &mut third.axes[0].curves[..] else { panic!("two curves") };
        std::mem::swap(&mut one.at_budgets, &mut other.at_budgets);
        let algorithms = ["random".to_owned(), "evolution".to_owned()];
        let all = left_out(&[first, second, third], &algorithms);
        // Without the third, the two others agree; without one of them, what is left is even, and the first is taken.
        assert_eq!(
            all.iter().map(|out| out.chosen.as_str()).collect::<Vec<_>>(),
            ["random", "random", "evolution"]
        );
        assert_eq!((all[2].rank, all[2].next_rank, all[2].own_rank), (means[1], means[0], means[0]));
        assert!(left_out(&results().spaces, &algorithms).is_empty(), "one space chooses nothing");
    }
}
