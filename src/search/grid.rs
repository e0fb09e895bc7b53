//! Grid search.
//!
//! Every candidate of the space in its order, numbers at a few places of their scale: the way to go through a small
//! space to its end. Where the grid has more candidates than the study has trials, the first ones in order would all
//! be alike (Bergstra and Bengio 2012, <https://jmlr.org/papers/v13/bergstra12a.html>), so then it is taken in
//! scrambled order: in every round each decision goes through all its values once, in a new random order, as in a Latin
//! hypercube (McKay et al. 1979, <https://doi.org/10.2307/1268522>), so that however early it ends every value was
//! tried as often as any other.
//!
//! Of isomorphic candidates only the first is proposed. The search ends when the grid is through.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::unseen::Unseen;
use super::{Configure, Context, Next, SearchAlgorithm};
use crate::space::{DecisionKind, Draw, Genotype, GenotypeError, Space};
use crate::trial::{History, Proposal};

/// Every candidate once; see the notes of its trials for the order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grid {
    /// Values of each number, both ends included, at equal steps of its scale; an `Int` of fewer values has those.
    pub points: usize,
}

impl Default for Grid {
    fn default() -> Grid {
        Grid { points: 5 }
    }
}

impl Configure for Grid {
    fn start(&self) -> Box<dyn SearchAlgorithm> {
        Box::new(GridSearch { points: self.points.max(1), unseen: Unseen::default(), walk: None })
    }
}

struct GridSearch {
    points: usize,
    unseen: Unseen,
    walk: Option<Walk>,
}

/// The grid of a space, and what is known of it.
struct Walk {
    /// The values of each number, by decision; none for all others.
    numbers: Vec<Vec<Draw>>,
    /// The first grid point that is not known to be used up; `None` after the last.
    next: Option<Genotype>,
    /// For how many trials it is known whether the grid is larger.
    trials: u64,
    larger: bool,
}

/// Steps in a row that may repeat before the scrambled order is given up for the space's own.
const REPEATS: usize = 1000;

impl SearchAlgorithm for GridSearch {
    fn propose(&mut self, context: &Context, history: &History) -> Result<Next, GenotypeError> {
        self.unseen.read(history);
        let space = context.space;
        let mut walk = match self.walk.take() {
            Some(walk) => walk,
            None => Walk::start(space, self.points)?,
        };
        let proposal = match walk.is_larger(space, context.trials)? {
            true => self.scrambled(context, history, &walk)?,
            false => None,
        };
        let proposal = match proposal {
            Some(proposal) => Some(proposal),
            None => self.next(context, &mut walk)?,
        };
        self.walk = Some(walk);
        Ok(proposal.map_or(Next::Done, |(genotype, note)| {
            Next::Run(Proposal { genotype, fidelity: context.fidelity, parent: None, note })
        }))
    }
}

/// The note of scrambled grid points, without the number of the step.
const STEP: &str = "grid, scrambled step ";

/// The note of grid points in the space's order.
const ORDER: &str = "grid";

impl GridSearch {
    /// The first new grid point in the space's order.
    fn next(&self, context: &Context, walk: &mut Walk) -> Result<Option<(Genotype, String)>, GenotypeError> {
        while let Some(genotype) = walk.next.take() {
            if self.is_new(context.space, &genotype) {
                // Not passed before it is in the history.
                walk.next = Some(genotype.clone());
                return Ok(Some((genotype, ORDER.into())));
            }
            walk.next = walk.after(context.space, &genotype)?;
        }
        Ok(None)
    }

    /// The first new grid point in scrambled order; `None` where all that follow for long repeat.
    fn scrambled(
        &self,
        context: &Context,
        history: &History,
        walk: &Walk,
    ) -> Result<Option<(Genotype, String)>, GenotypeError> {
        let mut notes = history.trials.iter().rev().map(|trial| trial.proposal.note.as_str());
        let first = match notes.find(|note| note.starts_with(ORDER)) {
            None => 1,
            Some(ORDER) => return Ok(None),
            Some(note) => note.strip_prefix(STEP).and_then(|step| step.parse::<u64>().ok()).unwrap_or(0) + 1,
        };
        for step in (first..).take(REPEATS) {
            let genotype = walk.scrambled(context, step - 1)?;
            if self.is_new(context.space, &genotype) {
                return Ok(Some((genotype, format!("{STEP}{step}"))));
            }
        }
        Ok(None)
    }

    /// Whether no trial has it, it is a program, and it keeps to the constraints.
    fn is_new(&self, space: &Space, genotype: &Genotype) -> bool {
        space.key(genotype).is_ok_and(|key| self.unseen.is_new(&key))
            && space.admits(genotype).unwrap_or(false)
    }
}

impl Walk {
    fn start(space: &Space, points: usize) -> Result<Walk, GenotypeError> {
        let numbers: Vec<Vec<Draw>> =
            space.decisions().iter().map(|decision| values(&decision.kind, points)).collect();
        let mut walk = Walk { numbers, next: None, trials: 0, larger: true };
        walk.next = Some(space.build(&mut |decision| Ok(walk.first(space, decision)))?);
        Ok(walk)
    }

    fn first(&self, space: &Space, decision: usize) -> Draw {
        self.numbers[decision].first().cloned().unwrap_or_else(|| space.decisions()[decision].kind.first())
    }

    /// The value after `draw`: the next of a number's, or of the decision's own.
    fn raised(&self, space: &Space, decision: usize, draw: &Draw) -> Option<Draw> {
        match self.numbers[decision].as_slice() {
            [] => space.decisions()[decision].kind.next(draw),
            values => values.iter().skip_while(|value| *value != draw).nth(1).cloned(),
        }
    }

    /// The grid point after `last`: the last decision that can be raised is raised, all after it start anew.
    fn after(&self, space: &Space, last: &Genotype) -> Result<Option<Genotype>, GenotypeError> {
        let active = space.active(last)?;
        let raise = |(place, (decision, draw)): (usize, &(usize, Draw))| {
            Some((place, self.raised(space, *decision, draw)?))
        };
        let Some((place, raised)) = active.iter().enumerate().rev().find_map(raise) else { return Ok(None) };
        let mut met = 0;
        let after = space.build(&mut |decision| {
            met += 1;
            Ok(match met - 1 {
                before if before < place => active[before].1.clone(),
                at if at == place => raised.clone(),
                _ => self.first(space, decision),
            })
        })?;
        Ok(Some(after))
    }

    /// Whether there are more grid points than trials.
    fn is_larger(&mut self, space: &Space, trials: u64) -> Result<bool, GenotypeError> {
        if self.trials != trials {
            let mut last = Some(space.build(&mut |decision| Ok(self.first(space, decision)))?);
            let mut count = 0;
            while let Some(genotype) = last.filter(|_| count <= trials) {
                count += 1;
                last = self.after(space, &genotype)?;
            }
            (self.trials, self.larger) = (trials, count > trials);
        }
        Ok(self.larger)
    }

    /// The grid point of one step. A decision of `v` values goes through all of them in `v` steps, in an order of its
    /// own for every such round. Lists, of which there may be very many, are drawn.
    fn scrambled(&self, context: &Context, step: u64) -> Result<Genotype, GenotypeError> {
        context.space.build(&mut |decision| {
            let kind = &context.space.decisions()[decision].kind;
            let count = match (kind, self.numbers[decision].len()) {
                (DecisionKind::Choice { candidates }, _) => u64::from(*candidates),
                (_, 0) => {
                    return Ok(kind.draw(&mut context.seed.stream(step, &format!("grid list {decision}"))));
                }
                (_, points) => points as u64,
            };
            let mut order: Vec<u32> = (0..count as u32).collect();
            order.shuffle(&mut context.seed.stream(step / count, &format!("grid round {decision}")));
            let index = order[(step % count) as usize];
            Ok(self.numbers[decision].get(index as usize).cloned().unwrap_or(Draw::Choice(index)))
        })
    }
}

/// The values of a number; none for choices.
fn values(kind: &DecisionKind, points: usize) -> Vec<Draw> {
    let points = match *kind {
        DecisionKind::Int { low, high } => {
            let count = i128::from(high) - i128::from(low) + 1;
            usize::try_from(count).unwrap_or(usize::MAX).min(points)
        }
        _ => points,
    };
    // A single value stands in the middle.
    let share = |point: usize| if points == 1 { 0.5 } else { point as f64 / (points - 1) as f64 };
    let mut values: Vec<Draw> = (0..points).filter_map(|point| kind.at(share(point))).collect();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::contract::{spaces, study};
    use super::*;
    use crate::search::Algorithm;
    use crate::space::Gene;

    fn texts(space: &Space, points: usize, trials: u64) -> Vec<String> {
        let trials = study(space, &Algorithm::Grid(Grid { points }), trials);
        trials.iter().map(|trial| trial.proposal.genotype.to_string()).collect()
    }

    #[test]
    fn goes_through_the_space_in_its_order_and_ends() {
        let all: Vec<String> = spaces::flat().genotypes().map(|genotype| genotype.to_string()).collect();
        assert_eq!(texts(&spaces::flat(), 5, 300), all);
        let conditional = texts(&spaces::conditional(), 3, 100);
        // Three momenta and two other optimizers, four depths of each.
        assert_eq!(conditional.len(), (3 + 2) * 4);
        assert_eq!(conditional[..5], ["0(0.0),0", "0(0.0),1", "0(0.0),2", "0(0.0),3", "0(0.5),0"]);
    }

    #[test]
    fn numbers_stand_at_equal_steps_of_their_scale() {
        let kinds = spaces::numeric().decisions().iter().map(|decision| decision.kind).collect::<Vec<_>>();
        let ints = |kind, points| {
            values(kind, points).into_iter().map(|draw| match draw {
                Draw::Int(value) => value,
                other => panic!("{other:?} is no integer"),
            })
        };
        assert_eq!(ints(&kinds[0], 4).collect::<Vec<_>>(), [1, 334, 667, 1000]);
        assert_eq!(values(&kinds[1], 3), [Draw::Float(1e-4), Draw::Float(1e-2), Draw::Float(1.0)]);
        assert_eq!(ints(&kinds[3], 5).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(values(&kinds[1], 1), [Draw::Float(1e-2)]);
    }

    #[test]
    fn a_grid_too_large_is_scrambled_so_that_every_value_comes_as_often() {
        let space = spaces::wide();
        let trials = study(&space, &Algorithm::Grid(Grid::default()), 40);
        for decision in 0..8 {
            let mut counts = [0; 4];
            for trial in &trials {
                let Gene::Choice(choice, _) = trial.proposal.genotype.0[decision] else { panic!("a choice") };
                counts[choice as usize] += 1;
            }
            assert_eq!(counts, [10; 4], "decision {decision}");
        }
        let different: HashSet<String> = texts(&space, 5, 40).into_iter().collect();
        assert_eq!(different.len(), 40);
    }

    #[test]
    fn a_grid_of_isomorphic_candidates_ends_though_it_looks_too_large() {
        let space = spaces::constrained();
        let all: HashSet<_> =
            space.genotypes().map(|genotype| space.key(&genotype).expect("a key")).collect();
        let trials = study(&space, &Algorithm::Grid(Grid::default()), all.len() as u64 + 5);
        let keys: HashSet<_> = trials.iter().map(|trial| trial.key.clone()).collect();
        assert_eq!((trials.len(), keys), (all.len(), all));
    }
}
