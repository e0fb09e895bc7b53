//! Spaces of only some of their candidates, such as the rows of a table: every move leads from one of them to another.

use std::collections::{HashMap, HashSet};

use rand::RngExt;
use rayon::prelude::*;

use super::assignment::Assignment;
use super::decision::{DecisionKind, Draw};
use super::template::Template;
use super::{Genotype, GenotypeError, Key, Space};
use crate::random::Rng;

/// Rows that count as near another one, at least: rows lie far apart in most spaces, and a move that knew only one way
/// from each would lead nowhere new.
const NEAR: usize = 8;

/// What stands in the place of a decision that is not active.
const INACTIVE: u16 = u16::MAX;

/// The candidates of a restricted space, with all that its moves need.
#[derive(Debug)]
pub(super) struct Rows {
    genotypes: Vec<Genotype>,
    /// The key of each row by its genotype's text.
    keys: HashMap<Box<str>, Key>,
    unique: HashSet<Key>,
    /// Where each decision's slots start in a code.
    starts: Vec<usize>,
    /// What each slot holds in every row: slot by slot, so that a move compares thousands of rows at once.
    codes: Vec<Vec<u16>>,
}

impl Space {
    /// The space of only these of its candidates, one of those that are isomorphic; what breaks a constraint is left
    /// out. Draws are uniform over them, and every move leads to a row that differs from where it starts in few
    /// decisions (a `ManyOf` counting slot by slot). The text of the space stays that of the whole space.
    ///
    /// ```
    /// use cellwright::Space;
    ///
    /// let space = Space::untyped(&"(a: OneOf([1, 2, 3]), b: OneOf([1, 2, 3]))".parse()?)?;
    /// let rows = ["0,0", "0,2", "2,1"].map(|row| row.parse().expect("a genotype"));
    /// let space = space.only(rows)?;
    /// assert_eq!((space.size().to_string(), space.restricted_size()), ("3".into(), Some(3)));
    /// # Ok::<(), cellwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// A genotype that is not of the space, or that none is left.
    pub fn only(self, genotypes: impl IntoIterator<Item = Genotype>) -> Result<Space, GenotypeError> {
        let given: Vec<Genotype> = genotypes.into_iter().collect();
        let count = given.len();
        let keyed: Vec<Option<(Genotype, Key)>> =
            given.into_par_iter().map(|genotype| self.keyed(genotype)).collect::<Result<_, _>>()?;
        let rows = Rows::new(&self.template, keyed.into_iter().flatten())?;
        if rows.genotypes.is_empty() {
            return Err(GenotypeError(format!("none of {count} rows is a candidate within the constraints")));
        }
        Ok(Space {
            count: rows.genotypes.len().into(),
            rows: Some(rows.into()),
            derived: Default::default(),
            ..self
        })
    }

    /// How many candidates the space was [restricted](Space::only) to; `None` where it was not.
    pub fn restricted_size(&self) -> Option<usize> {
        self.rows.as_ref().map(|rows| rows.genotypes.len())
    }

    /// A candidate with its key; `None` where it breaks a constraint.
    fn keyed(&self, genotype: Genotype) -> Result<Option<(Genotype, Key)>, GenotypeError> {
        let is_free = self.constraints.is_empty() && self.rows.is_none();
        if !is_free && !self.admits(&genotype)? {
            return Ok(None);
        }
        let key = self.key(&genotype)?;
        Ok(Some((genotype, key)))
    }
}

impl Rows {
    fn new(template: &Template, keyed: impl Iterator<Item = (Genotype, Key)>) -> Result<Rows, GenotypeError> {
        let slots = |kind: &DecisionKind| match kind {
            DecisionKind::Many { k, .. } => *k as usize,
            _ => 1,
        };
        let (mut starts, mut width) = (Vec::with_capacity(template.decisions.len()), 0);
        for decision in &template.decisions {
            starts.push(width);
            width += slots(&decision.kind);
        }
        let (genotypes, keys, unique) = Default::default();
        let mut rows = Rows { genotypes, keys, unique, starts, codes: vec![Vec::new(); width] };
        for (genotype, key) in keyed {
            if rows.unique.insert(key.clone()) {
                rows.keys.insert(genotype.to_string().into(), key);
                let code = rows.code(&template.read(&genotype)?);
                rows.codes.iter_mut().zip(code).for_each(|(slot, held)| slot.push(held));
                rows.genotypes.push(genotype);
            }
        }
        Ok(rows)
    }

    /// A uniform draw.
    pub fn random(&self, rng: &mut Rng) -> Genotype {
        self.genotypes[rng.random_range(0..self.genotypes.len())].clone()
    }

    /// One of the rows near a genotype, all alike; the genotype itself where there is no other.
    pub fn mutate(
        &self,
        template: &Template,
        parent: &Genotype,
        rng: &mut Rng,
    ) -> Result<Genotype, GenotypeError> {
        let near = self.near(&template.read(parent)?, NEAR);
        let drawn = (!near.is_empty()).then(|| near[rng.random_range(0..near.len())]);
        Ok(drawn.map_or(parent, |row| &self.genotypes[row]).clone())
    }

    /// The genotype itself where it is a row; else one of those that differ least from it, all alike.
    pub fn nearest(
        &self,
        template: &Template,
        genotype: &Genotype,
        rng: &mut Rng,
    ) -> Result<Genotype, GenotypeError> {
        if self.key(genotype).is_some() {
            return Ok(genotype.clone());
        }
        let near = self.near(&template.read(genotype)?, 1);
        match near.len() {
            0 => Ok(self.random(rng)),
            count => Ok(self.genotypes[near[rng.random_range(0..count)]].clone()),
        }
    }

    /// All rows near a genotype, in their order.
    pub fn neighbours(
        &self,
        template: &Template,
        genotype: &Genotype,
    ) -> Result<Vec<Genotype>, GenotypeError> {
        let near = self.near(&template.read(genotype)?, NEAR);
        Ok(near.into_iter().map(|row| self.genotypes[row].clone()).collect())
    }

    /// All rows in their order.
    pub fn genotypes(&self) -> impl Iterator<Item = &Genotype> {
        self.genotypes.iter()
    }

    /// The key of a row.
    pub fn key(&self, genotype: &Genotype) -> Option<&Key> {
        self.keys.get(genotype.to_string().as_str())
    }

    /// Whether a row has this key.
    pub fn has(&self, key: &Key) -> bool {
        self.unique.contains(key)
    }

    /// The rows that differ from an assignment, those in few decisions first taken, until there are at least so many
    /// and none that differs in no more is left out.
    fn near(&self, from: &Assignment, at_least: usize) -> Vec<usize> {
        let distances = self.distances(&self.code(from));
        let mut counts = vec![0; self.codes.len() + 1];
        distances.iter().for_each(|distance| counts[usize::from(*distance)] += 1);
        let mut met = 0;
        let far = (1..counts.len()).find(|distance| {
            met += counts[*distance];
            met >= at_least
        });
        let near = 1..=far.unwrap_or(self.codes.len());
        (0..distances.len()).filter(|row| near.contains(&distances[*row].into())).collect()
    }

    /// In how many slots that are active in both each row differs from a code.
    fn distances(&self, from: &[u16]) -> Vec<u16> {
        let mut distances = vec![0; self.genotypes.len()];
        for (slot, from) in self.codes.iter().zip(from).filter(|(_, from)| **from != INACTIVE) {
            for (distance, held) in distances.iter_mut().zip(slot) {
                *distance += u16::from((held != from) & (*held != INACTIVE));
            }
        }
        distances
    }

    fn code(&self, assignment: &Assignment) -> Vec<u16> {
        let mut code = vec![INACTIVE; self.codes.len()];
        for (decision, draw) in assignment.active() {
            let start = self.starts[decision];
            match draw {
                Draw::Choice(index) => code[start] = chosen(*index),
                Draw::Many(choices) => {
                    code[start..].iter_mut().zip(choices).for_each(|(code, index)| *code = chosen(*index));
                }
                Draw::Int(value) => code[start] = mixed(value.cast_unsigned()),
                Draw::Float(value) => code[start] = mixed(value.to_bits()),
            }
        }
        code
    }
}

fn chosen(index: u32) -> u16 {
    u16::try_from(index).unwrap_or(INACTIVE).min(INACTIVE - 1)
}

/// A number in fewer bits: but for one pair in 65,000, two that differ are told apart. Of those that are not, moves know
/// less well how near they are.
fn mixed(bits: u64) -> u16 {
    ((bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u16).min(INACTIVE - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::space::{Genotype, Space};
    use crate::{Seed, space::Size};

    fn rows(program: &str, rows: &[&str]) -> Space {
        let space = Space::untyped(&program.parse().expect("RON")).expect("a space");
        space.only(rows.iter().map(|row| row.parse().expect("a genotype"))).expect("rows")
    }

    fn texts(genotypes: &[Genotype]) -> Vec<String> {
        genotypes.iter().map(Genotype::to_string).collect()
    }

    const GRID: &str = "(a: OneOf([0, 1, 2]), b: ManyOf(2, [0, 1, 2]), c: Float(0.0, 1.0))";

    #[test]
    fn every_move_ends_at_a_row() {
        let given = ["0,[0,0],0.5", "0,[0,1],0.5", "1,[2,1],0.25", "2,[2,2],0.125"];
        let space = rows(GRID, &given);
        assert_eq!(space.size(), Size::Finite(4u32.into()));
        assert_eq!(texts(&space.genotypes().collect::<Vec<_>>()), given);
        let (mut rng, mut drawn) = (Seed(1).stream(0, "rows"), HashSet::new());
        for _ in 0..100 {
            let (a, b) = (space.random(&mut rng).unwrap(), space.random(&mut rng).unwrap());
            let mutant = space.mutate(&a, &mut rng).unwrap();
            assert_ne!(mutant, a);
            for moved in [mutant, space.crossover(&a, &b, &mut rng).unwrap()] {
                assert!(given.contains(&moved.to_string().as_str()), "{moved}");
                assert!(space.admits(&moved).unwrap());
            }
            drawn.insert(a.to_string());
        }
        assert_eq!(drawn.len(), 4);
        assert!(!space.admits(&"0,[0,0],0.75".parse().unwrap()).unwrap());
    }

    #[test]
    fn the_nearest_rows_come_first_and_ties_are_not_parted() {
        // Twelve rows at distance 1 (by the third decision), then one at distance 2.
        let mut given: Vec<String> =
            (0..13).map(|number| format!("0,[0,0],{:?}", f64::from(number) / 16.0)).collect();
        given.push("0,[0,1],0.9".into());
        let space = rows(GRID, &given.iter().map(String::as_str).collect::<Vec<_>>());
        let near = space.neighbours(&"0,[0,0],0.0".parse().unwrap()).unwrap();
        assert_eq!(texts(&near), given[1..13]);
        // Fewer than wanted within distance 1: all of the next distance come, too.
        let near = space.neighbours(&"0,[0,1],0.9".parse().unwrap()).unwrap();
        assert_eq!(texts(&near), given[..13]);
        // What is no row itself has neighbours all the same.
        assert_eq!(space.neighbours(&"2,[2,2],0.95".parse().unwrap()).unwrap().len(), 14);
    }

    #[test]
    fn what_is_not_active_in_both_does_not_count() {
        let space = rows(
            "(a: OneOf([X(OneOf([0, 1, 2]), OneOf([0, 1])), Y]), b: OneOf([0, 1]))",
            &["0(0,0),0", "0(2,1),0", "1,0"],
        );
        let mut rng = Seed(2).stream(0, "rows");
        // From `Y` both differ in `a` alone; by crossover a child that is no row ends at the nearest.
        assert_eq!(texts(&space.neighbours(&"1,0".parse().unwrap()).unwrap()), ["0(0,0),0", "0(2,1),0"]);
        let child = space.crossover(&"1,1".parse().unwrap(), &"1,1".parse().unwrap(), &mut rng).unwrap();
        assert_eq!(child.to_string(), "1,0");
    }

    #[test]
    fn one_row_moves_nowhere_and_none_is_refused() {
        let space = rows(GRID, &["0,[0,0],0.5"]);
        let mut rng = Seed(3).stream(0, "rows");
        let only = space.random(&mut rng).unwrap();
        assert_eq!(space.mutate(&only, &mut rng).unwrap(), only);
        assert_eq!(space.crossover(&only, &only, &mut rng).unwrap(), only);
        assert!(space.neighbours(&only).unwrap().is_empty());
        let whole = Space::untyped(&GRID.parse().unwrap()).unwrap();
        let error = whole.clone().only([]).unwrap_err().to_string();
        assert_eq!(error, "none of 0 rows is a candidate within the constraints");
        let error = whole.only(["9,[0,0],0.5".parse().unwrap()]).unwrap_err().to_string();
        assert_eq!(error, "a: choice 9 is not in 0..=2");
    }

    #[test]
    fn isomorphic_rows_are_one_and_the_constraints_hold() {
        let space = Space::load("tests/spaces/small.ron").expect("a space");
        let mut rng = Seed(4).stream(0, "rows");
        let drawn: Vec<Genotype> = (0..6).map(|_| space.random(&mut rng).expect("a draw")).collect();
        let keys: HashSet<_> = drawn.iter().map(|row| space.key(row).expect("a key")).collect();
        let restricted = space.clone().only(drawn.iter().chain(&drawn).cloned()).expect("rows");
        assert_eq!(restricted.size(), Size::Finite(keys.len().into()));
        for row in &drawn {
            assert_eq!(restricted.key(row).unwrap(), space.key(row).unwrap());
        }
    }
}
