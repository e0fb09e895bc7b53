//! The symbolic, mutable program: any serde type as a tree that keeps its names, and back.

mod access;
mod check;
mod de;
mod diff;
mod handover;
mod mistake;
mod parse;
mod patch;
mod path;
mod pattern;
mod print;
mod rebind;
mod ser;
mod source;
mod syntax;
#[cfg(test)]
mod tests;
mod token;
mod value;

pub use check::check_all;
pub use de::from_value;
pub use diff::{Change, Diff};
pub use mistake::{Mistake, ProgramError, alternatives, nearest};
pub use patch::{Patch, PatchError, Rule};
pub use path::{IntoPath, Path, PathError, Step};
pub use pattern::Pattern;
pub use rebind::Program;
pub use ser::to_value;
pub use source::{Part, Place, Sources};
pub use syntax::{MAX_BYTES, MAX_DEPTH};
pub use value::{Fields, Kind, Name, Object, Origin, Value};
