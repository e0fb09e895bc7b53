//! The symbolic, mutable program: any serde type as a tree that keeps its names, and back.

mod value;

pub use value::{Fields, Kind, Name, Object, Origin, Value};

use std::sync::Arc;

/// The files that programs were read from, and the byte range behind every [`Origin`].
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `(path, text)` of every file.
    pub files: Vec<(Arc<str>, Arc<str>)>,
    /// `(file, start, end)` of every origin; origin `n` is entry `n - 1`.
    pub spans: Vec<(u32, u32, u32)>,
}
