//! What a space's programs are: bare trees, values of a user's own type, or candidates.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Key;
use crate::architecture::Architecture;
use crate::candidate::Candidate;
use crate::random::fnv1a_128;
use crate::symbolic::{Fields, Kind, Object, ProgramError, Value, check_all, from_value, to_value};

/// The type of a space's programs, so that spaces over different types are of one type themselves.
pub(super) trait ProgramType: fmt::Debug + Send + Sync {
    /// All that keeps a tree from being a program of the type.
    fn mistakes(&self, program: &Value) -> Vec<ProgramError>;

    /// The program as its type writes it: names and defaults spelled out.
    fn spelled_out(&self, program: &Value) -> Result<Value, ProgramError>;

    /// Whether its programs are networks with their training.
    fn has_networks(&self) -> bool {
        false
    }

    /// The program as a candidate, where it is one.
    fn candidate(&self, _program: &Value) -> Result<Option<Candidate>, ProgramError> {
        Ok(None)
    }

    /// What equal programs have in common and others have not.
    fn key(&self, program: &Value) -> Result<Key, ProgramError> {
        Ok(Key::of(&self.spelled_out(program)?.to_string()))
    }
}

/// The type `P`.
pub(super) fn of<P: Serialize + DeserializeOwned + 'static>() -> Arc<dyn ProgramType> {
    if TypeId::of::<P>() == TypeId::of::<Candidate>() {
        return Arc::new(Candidates::default());
    }
    Arc::new(Typed(PhantomData::<fn() -> P>))
}

/// No type: any tree will do.
pub(super) fn untyped() -> Arc<dyn ProgramType> {
    Arc::new(Untyped)
}

/// The type of candidates.
pub(super) fn candidates() -> Arc<dyn ProgramType> {
    Arc::new(Candidates::default())
}

#[derive(Debug)]
struct Untyped;

impl ProgramType for Untyped {
    fn mistakes(&self, _program: &Value) -> Vec<ProgramError> {
        Vec::new()
    }
    fn spelled_out(&self, program: &Value) -> Result<Value, ProgramError> {
        Ok(program.clone())
    }
}

struct Typed<P>(PhantomData<fn() -> P>);

impl<P> fmt::Debug for Typed<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<P>())
    }
}

impl<P: Serialize + DeserializeOwned> ProgramType for Typed<P> {
    fn mistakes(&self, program: &Value) -> Vec<ProgramError> {
        mistakes::<P>(program)
    }
    fn spelled_out(&self, program: &Value) -> Result<Value, ProgramError> {
        to_value(&from_value::<P>(program)?)
    }
}

#[derive(Debug, Default)]
struct Candidates {
    /// Of most spaces only the architecture is open: the rest of the key is the same for all candidates.
    fixed: OnceLock<Fixed>,
}

/// A task and a training, and what keys say of them. That the trees are kept is what makes their addresses tell them.
#[derive(Debug)]
struct Fixed {
    task: Arc<Object>,
    training: Arc<Object>,
    /// The hash of what they say.
    hash: u128,
}

/// The parts of a candidate that is written in full.
struct Parts<'a> {
    task: &'a Arc<Object>,
    architecture: &'a Value,
    training: &'a Arc<Object>,
}

impl<'a> Parts<'a> {
    fn of(program: &'a Value) -> Option<Parts<'a>> {
        let object =
            |value: &'a Value| if let Kind::Object(object) = &value.kind { Some(object) } else { None };
        match &program.as_object()?.fields {
            Fields::Named(fields) if fields.len() == 3 => Some(Parts {
                task: object(program.field("task")?)?,
                architecture: program.field("architecture")?,
                training: object(program.field("training")?)?,
            }),
            _ => None,
        }
    }
}

impl Candidates {
    /// The key of a candidate whose task and training are those met first.
    fn fixed_key(&self, program: &Value) -> Option<Key> {
        let (parts, fixed) = (Parts::of(program)?, self.fixed.get()?);
        if !Arc::ptr_eq(parts.task, &fixed.task) || !Arc::ptr_eq(parts.training, &fixed.training) {
            return None;
        }
        let architecture: Architecture = from_value(parts.architecture).ok()?;
        Some(Key::joined(&architecture.key(), fixed.hash))
    }
}

impl ProgramType for Candidates {
    fn mistakes(&self, program: &Value) -> Vec<ProgramError> {
        mistakes::<Candidate>(program)
    }
    fn spelled_out(&self, program: &Value) -> Result<Value, ProgramError> {
        to_value(&from_value::<Candidate>(program)?)
    }
    fn has_networks(&self) -> bool {
        true
    }
    fn candidate(&self, program: &Value) -> Result<Option<Candidate>, ProgramError> {
        from_value(program).map(Some)
    }
    /// Isomorphic networks have one key; the task and the training must be equal.
    fn key(&self, program: &Value) -> Result<Key, ProgramError> {
        if let Some(key) = self.fixed_key(program) {
            return Ok(key);
        }
        let Candidate { task, architecture, training } = from_value(program)?;
        let text = format!("{} {}", to_value(&task)?, to_value(&training)?);
        let hash = fnv1a_128(text.as_bytes());
        let key = Key::joined(&architecture.key(), hash);
        if let Some(Parts { task, training, .. }) = Parts::of(program) {
            self.fixed.get_or_init(|| Fixed { task: task.clone(), training: training.clone(), hash });
        }
        Ok(key)
    }
}

/// Most programs have none, and finding all takes longer.
fn mistakes<P: DeserializeOwned>(program: &Value) -> Vec<ProgramError> {
    if from_value::<P>(program).is_ok() { Vec::new() } else { check_all::<P>(program) }
}

#[cfg(test)]
mod tests {
    use crate::Seed;
    use crate::space::{Key, Space};

    fn space(rate: &str) -> Space {
        let text = format!(
            "Space(program: (
                task: (input: (1, 8, 8), classes: 10),
                architecture: Sequential([OneOf([SepConv(kernel: 3), SepConv(kernel: 5), MaxPool(kernel: 3)])]),
                training: (learning_rate: {rate}),
            ))"
        );
        Space::from_ron("test.ron", &text).expect("a valid space")
    }

    /// The keys of one space for all, and of a new space for each.
    fn keys(rate: &str) -> [Vec<Key>; 2] {
        let mut rng = Seed(1).stream(0, "keys");
        let shared = space(rate);
        let genotypes: Vec<_> = (0..20).map(|_| shared.random(&mut rng).expect("a genotype")).collect();
        let key = |space: &Space, genotype| space.key(genotype).expect("a key");
        [
            genotypes.iter().map(|genotype| key(&shared, genotype)).collect(),
            genotypes.iter().map(|genotype| key(&space(rate), genotype)).collect(),
        ]
    }

    #[test]
    fn what_is_the_same_for_all_candidates_changes_no_key() {
        for (rate, distinct) in [("0.1", 3), ("OneOf([0.1, 0.01])", 6)] {
            let [warm, cold] = keys(rate);
            assert_eq!(warm, cold);
            assert_eq!(warm.iter().collect::<std::collections::HashSet<_>>().len(), distinct, "{rate}");
        }
    }
}
