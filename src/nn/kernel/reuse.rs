//! Memory of results that nobody looks at any more, kept for the next results of the same size.
//!
//! A training step makes and drops the same large tensors again and again. Handed back to the system they would have
//! to be mapped and zeroed anew every time, which takes longer than many an operation on them. Each thread keeps its
//! own, and gives it all back when a training ends.

use std::cell::RefCell;
use std::collections::HashMap;

/// Smaller ones are left to the allocator.
const LEAST: usize = 1 << 12;
/// Floats that a thread keeps at most.
const MOST: usize = 1 << 28;

#[derive(Default)]
struct Store {
    /// By length.
    buffers: HashMap<usize, Vec<Vec<f32>>>,
    floats: usize,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

/// Memory for `length` results of any value: whoever takes it writes them all.
pub(super) fn taken(length: usize) -> Vec<f32> {
    let kept = STORE.try_with(|store| {
        let store = &mut *store.borrow_mut();
        let buffer = store.buffers.get_mut(&length)?.pop()?;
        store.floats -= length;
        Some(buffer)
    });
    let mut buffer = kept.ok().flatten().unwrap_or_else(|| vec![0.0; length]);
    if cfg!(any(test, debug_assertions)) {
        // Whoever reads what it did not write is found out.
        buffer.fill(f32::NAN);
    }
    buffer
}

/// Whether memory of this many floats is kept at all.
pub(super) fn worthwhile(length: usize) -> bool {
    length >= LEAST
}

/// Keeps memory for [`taken`].
pub(super) fn keep(buffer: Vec<f32>) {
    let length = buffer.len();
    if !worthwhile(length) || buffer.capacity() != length {
        return;
    }
    // A thread that ends has no store any more, and the memory goes the usual way.
    let _ = STORE.try_with(|store| {
        let store = &mut *store.borrow_mut();
        if store.floats + length <= MOST {
            store.floats += length;
            store.buffers.entry(length).or_default().push(buffer);
        }
    });
}

/// Gives back all that this thread keeps.
pub(super) fn clear() {
    let _ = STORE.try_with(|store| std::mem::take(&mut *store.borrow_mut()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_for_results_of_the_same_size_until_the_work_ends() {
        let buffer = taken(LEAST);
        let place = buffer.as_ptr();
        keep(buffer);
        let (other, same) = (taken(LEAST + 1), taken(LEAST));
        assert!(other.as_ptr() != place && same.as_ptr() == place);
        keep(same);
        clear();
        STORE.with_borrow(|store| assert_eq!((store.floats, store.buffers.len()), (0, 0)));
    }
}
