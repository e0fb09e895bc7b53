//! What each task is measured by, as the field measures it. Each metric takes one picture after the other, and says
//! nothing where there was nothing to measure.

mod average_precision;
mod depth_error;
mod mean_iou;
mod normal_angle;
mod top_one;

pub use average_precision::{AveragePrecision, Detection, DetectionScores};
pub use depth_error::{Alignment, DepthError, DepthScores};
pub use mean_iou::{MeanIou, SegmentationScores};
pub use normal_angle::{NormalAngle, NormalScores};
pub use top_one::TopOne;

#[cfg(test)]
mod reference;
