//! Pictures with classes (the embedded digits, CIFAR, IDX, class folders), in memory or left in their files, and samples with
//! any subset of labels (the rendered `scenes`; folders with COCO, YOLO, Pascal VOC, masks, depth).
//!
//! Reading only: nothing here knows of training. To add a format of class pictures: write `x.rs` with `load`, and add its
//! variant to [`Source`] with its line in [`Source::LAYOUTS`]. To add a format of other labels: one file in `layers`.

mod cifar;
mod digits;
mod error;
mod files;
mod folders;
mod idx;
mod layers;
mod pictures;
mod sample;
mod scenes;
mod set;
mod source;
mod split;

use error::nearest_name;
pub use error::{DataError, Place};
pub use files::Files;
pub use layers::{ClassMap, Intrinsics, Layer, PictureFolder};
pub use pictures::{Dataset, FileSet, Pictures, Set, Supply};
pub use sample::{
    Bounds, Camera, Class, Classes, IGNORE, Label, Mask, NormalFit, Object, Picture, Pixel, Plane, Sample,
};
pub use scenes::Scenes;
pub use set::{SampleSource, Samples, Split};
pub use source::Source;
