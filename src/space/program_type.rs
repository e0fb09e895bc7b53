//! What a space's programs are: bare trees, values of a user's own type, or candidates.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Key;
use crate::candidate::Candidate;
use crate::symbolic::{ProgramError, Value, check_all, from_value, to_value};

/// The type of a space's programs, so that spaces over different types are of one type themselves.
pub(super) trait ProgramType: fmt::Debug + Send + Sync {
    /// All that keeps a tree from being a program of the type.
    fn mistakes(&self, program: &Value) -> Vec<ProgramError>;

    /// The program as its type writes it: names and defaults spelled out.
    fn spelled_out(&self, program: &Value) -> Result<Value, ProgramError>;

    /// The program as a candidate, where it is one.
    fn candidate(&self, _program: &Value) -> Result<Option<Candidate>, ProgramError> {
        Ok(None)
    }

    /// What equal programs have in common and others have not.
    fn key(&self, program: &Value) -> Result<Key, ProgramError> {
        Ok(Key(self.spelled_out(program)?.to_string()))
    }
}

/// The type `P`.
pub(super) fn of<P: Serialize + DeserializeOwned + 'static>() -> Arc<dyn ProgramType> {
    if TypeId::of::<P>() == TypeId::of::<Candidate>() {
        return Arc::new(Candidates);
    }
    Arc::new(Typed(PhantomData::<fn() -> P>))
}

/// No type: any tree will do.
pub(super) fn untyped() -> Arc<dyn ProgramType> {
    Arc::new(Untyped)
}

/// The type of candidates.
pub(super) fn candidates() -> Arc<dyn ProgramType> {
    Arc::new(Candidates)
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

#[derive(Debug)]
struct Candidates;

impl ProgramType for Candidates {
    fn mistakes(&self, program: &Value) -> Vec<ProgramError> {
        mistakes::<Candidate>(program)
    }
    fn spelled_out(&self, program: &Value) -> Result<Value, ProgramError> {
        to_value(&from_value::<Candidate>(program)?)
    }
    fn candidate(&self, program: &Value) -> Result<Option<Candidate>, ProgramError> {
        from_value(program).map(Some)
    }
    /// Isomorphic networks have one key; the task and the training must be equal.
    fn key(&self, program: &Value) -> Result<Key, ProgramError> {
        let Candidate { task, architecture, training } = from_value(program)?;
        Ok(Key(format!("{} {} {}", architecture.key(), to_value(&task)?, to_value(&training)?)))
    }
}

/// Most programs have none, and finding all takes longer.
fn mistakes<P: DeserializeOwned>(program: &Value) -> Vec<ProgramError> {
    if from_value::<P>(program).is_ok() { Vec::new() } else { check_all::<P>(program) }
}
