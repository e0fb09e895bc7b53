//! Memory that a thread works in, kept from one call to the next.

use std::cell::RefCell;

/// Which of a thread's buffers; one use of each at a time.
#[derive(Clone, Copy)]
pub(crate) enum Scratch {
    First,
    Second,
    Third,
}

thread_local! {
    static BUFFERS: RefCell<[Vec<f32>; 3]> = const { RefCell::new([Vec::new(), Vec::new(), Vec::new()]) };
}

/// Lends `work` `length` floats of any value.
pub(crate) fn with_scratch<T>(which: Scratch, length: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    let mut buffer = BUFFERS.with_borrow_mut(|buffers| std::mem::take(&mut buffers[which as usize]));
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    let result = work(&mut buffer[..length]);
    BUFFERS.with_borrow_mut(|buffers| buffers[which as usize] = buffer);
    result
}
