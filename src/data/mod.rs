//! Pictures with classes: the embedded digits, and readers of CIFAR, IDX and class folders, in memory or left in their files.
//!
//! Reading only: nothing here knows of training. To add a format: write `x.rs` with `load`, and add its variant to
//! [`Source`] with its line in [`Source::LAYOUTS`].

mod cifar;
mod digits;
mod error;
mod files;
mod folders;
mod idx;
mod pictures;
mod sample;
mod scenes;
mod source;
mod split;

pub use error::DataError;
pub use files::Files;
pub use pictures::{Dataset, FileSet, Pictures, Set, Supply};
pub use sample::{
    Bounds, Camera, Class, Classes, IGNORE, Label, Mask, NormalFit, Object, Picture, Pixel, Plane, Sample,
};
pub use scenes::Scenes;
pub use source::Source;
