//! Pictures on their way to the network: read, decoded, cropped, scaled and changed by threads of their own, and handed
//! out in batches in an order that the seed alone decides.
//!
//! Nothing here names Burn: a batch is bytes or normalised numbers, and what needs a whole batch (mixup, CutMix) is done
//! where it is used. The threads work ahead up to a bound, so that memory does not depend on the number of pictures; what
//! happens to a picture is drawn from a stream of its own, so that the number of threads changes nothing but the speed.

mod agenda;
mod broken;
mod crop;
mod decode;
mod exif;
mod handful;
mod queue;
mod rand_augment;
mod resize;
mod stock;
mod view;

pub use agenda::{Agenda, Look, order, shuffle};
pub use broken::Broken;
pub use handful::Handful;
pub use resize::resized;
pub use stock::{Batch, Loader, Pixels, Stock};
pub use view::{Tables, View};

/// A rectangle in a picture, in pixels and parts of them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Region {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Interleaved bytes: `[height, width, channels]`, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
struct Raster {
    bytes: Vec<u8>,
    channels: usize,
    height: usize,
    width: usize,
}

/// How many threads load pictures where nobody says: as many as the machine has cores.
pub fn usual_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
