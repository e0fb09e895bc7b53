//! The candidates of a space as paths through the supernet: which decisions are open, and what the others hold.

use crate::random::Rng;
use crate::search::controller::heads::{Action, Choose, Heads, Numbers};
use crate::space::{Decision, DecisionKind, Draw, Genotype, GenotypeError, Space};

/// The section of a program that holds its hyperparameters.
const TRAINING: &str = "training";

/// Draws that may break the space's constraints before the last of them is taken: the trial it becomes tells why.
const DRAWS: usize = 200;

/// How paths are drawn.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub heads: Heads,
    /// What decisions hold that are not open.
    held: Vec<Option<Draw>>,
    /// Whether a decision is a hyperparameter of the training.
    training: Vec<bool>,
}

impl Paths {
    /// Numbers have `basis` values each. Without `hyperparameters` those of the training are held: numbers at the middle
    /// of their scale, choices at their first candidate.
    pub fn of(space: &Space, basis: usize, hyperparameters: bool) -> Paths {
        let heads = Heads::with(space, Numbers::Basis(basis));
        let training: Vec<bool> =
            space.decisions().iter().map(|decision| is_within(&decision.id, TRAINING)).collect();
        let held = |(decision, training): (&Decision, &bool)| {
            (*training && !hyperparameters).then(|| middle(&decision.kind))
        };
        let held = space.decisions().iter().zip(&training).map(held).collect();
        Paths { heads, held, training }
    }

    /// What a decision holds that is not open.
    pub fn held(&self, decision: usize) -> Option<&Draw> {
        self.held[decision].as_ref()
    }

    /// Whether a decision is an open hyperparameter.
    pub fn is_hyperparameter(&self, decision: usize) -> bool {
        self.training[decision] && self.held[decision].is_none()
    }

    /// What a hyperparameter holds in the middle; `None` for the architecture.
    pub fn middle(&self, space: &Space, decision: usize) -> Option<Draw> {
        self.training[decision].then(|| middle(&space.decisions()[decision].kind))
    }

    /// A path that keeps to the space's constraints, all of whose open decisions are `decide`'s.
    pub fn build(
        &self,
        space: &Space,
        mut decide: impl FnMut(usize) -> Draw,
    ) -> Result<Genotype, GenotypeError> {
        let mut draw = || {
            space.build(&mut |decision| Ok(self.held(decision).cloned().unwrap_or_else(|| decide(decision))))
        };
        let mut genotype = draw()?;
        for _ in 0..DRAWS {
            if space.admits(&genotype).unwrap_or(false) {
                break;
            }
            genotype = draw()?;
        }
        Ok(genotype)
    }

    /// A path whose choices are `choose`'s.
    pub fn draw(&self, space: &Space, rng: &mut Rng, choose: &mut Choose) -> Result<Genotype, GenotypeError> {
        self.build(space, |decision| self.heads.decide(space, decision, rng, choose))
    }

    /// The choices of a path in its open decisions.
    pub fn actions(&self, space: &Space, genotype: &Genotype) -> Result<Vec<Action>, GenotypeError> {
        let held = |head: usize| {
            self.held
                .iter()
                .enumerate()
                .any(|(decision, draw)| draw.is_some() && self.heads.heads(decision).contains(&head))
        };
        let mut actions = self.heads.actions(space, genotype)?;
        actions.retain(|action| !held(action.head));
        Ok(actions)
    }
}

fn middle(kind: &DecisionKind) -> Draw {
    kind.at(0.5).unwrap_or_else(|| kind.first())
}

/// Whether a decision's path starts with this field.
fn is_within(id: &str, field: &str) -> bool {
    id.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ':']))
}

#[cfg(test)]
mod tests {
    use super::super::toy;
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    fn uniform(paths: &Paths, space: &Space, seed: u64) -> Genotype {
        let mut rng = Seed(seed).stream(0, "test");
        let heads = paths.heads.clone();
        let mut choose =
            |head: usize, _: &[bool], rng: &mut Rng| rng.random_range(0..heads.range(head).len());
        paths.draw(space, &mut rng, &mut choose).unwrap()
    }

    #[test]
    fn hyperparameters_are_held_where_only_the_architecture_is_open() {
        let space = toy::joint();
        let all = Paths::of(&space, 3, true);
        let some = Paths::of(&space, 3, false);
        let drawn: std::collections::HashSet<String> =
            (0..60).map(|seed| uniform(&some, &space, seed).to_string()).collect();
        assert_eq!(drawn.len(), 9, "two ops of three: {drawn:?}");
        // The middle of a logarithmic scale from 0.001 to 1, and the first of the choices.
        assert!(drawn.iter().all(|text| text.ends_with(",0.0316228,0")), "{drawn:?}");
        let drawn: std::collections::HashSet<String> =
            (0..400).map(|seed| uniform(&all, &space, seed).to_string()).collect();
        assert_eq!(drawn.len(), 9 * 3 * 2);
        let genotype = uniform(&all, &space, 1);
        assert_eq!(all.actions(&space, &genotype).unwrap().len(), 4);
        assert_eq!(some.actions(&space, &uniform(&some, &space, 1)).unwrap().len(), 2);
        assert!(is_within("training.batch", "training") && !is_within("trainings.batch", "training"));
    }
}
