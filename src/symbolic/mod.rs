//! The symbolic, mutable program: any serde type as a tree that keeps its names, and back.

mod de;
mod mistake;
mod parse;
mod path;
mod print;
mod rebind;
mod ser;
mod source;
mod value;

pub use de::from_value;
pub use mistake::{Mistake, ProgramError, alternatives, nearest};
pub use parse::{MAX_BYTES, MAX_DEPTH};
pub use path::{IntoPath, Path, PathError, Step};
pub use rebind::Program;
pub use ser::to_value;
pub use source::{Part, Place, Sources};
pub use value::{Fields, Kind, Name, Object, Origin, Value};
