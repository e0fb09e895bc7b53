//! What others derive from a space: made once, and shared by all that search it.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Space;

/// One value of each type.
#[derive(Clone, Default)]
pub(super) struct Derived(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived")
    }
}

impl Space {
    /// What `make` makes of this space: the first time it is asked for, and the same ever after. It must follow from the
    /// space alone. Who asks while it is made waits.
    pub(crate) fn derived<T: Any + Send + Sync>(&self, make: impl FnOnce(&Space) -> T) -> Arc<T> {
        // A maker that panicked has put nothing in.
        let mut known = self.derived.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&TypeId::of::<T>()).and_then(|any| any.clone().downcast().ok()) {
            return found;
        }
        let made = Arc::new(make(self));
        known.insert(TypeId::of::<T>(), made.clone());
        made
    }
}

#[cfg(test)]
mod tests {
    use crate::space::Space;

    struct Decisions(usize);
    struct Name(&'static str);

    #[test]
    fn what_is_derived_is_made_once_for_each_type() {
        let space = Space::untyped(&"(a: OneOf([1, 2]), b: OneOf([1, 2]))".parse().unwrap()).unwrap();
        let count = |space: &Space| Decisions(space.decisions().len());
        assert_eq!(space.derived(count).0, 2);
        assert_eq!(space.derived(|_| Name("pair")).0, "pair");
        assert_eq!(space.derived::<Decisions>(|_| unreachable!("made before")).0, 2);
    }
}
