//! Shape inference: one exhaustive match over the primitives.

use std::fmt;

use super::{Conv, Primitive, Window};

/// The shape of one sample, without the batch: `[channels, height, width]` or `[features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A picture or feature map.
    Map {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A vector.
    Flat(usize),
}

impl Shape {
    /// The sizes, outermost first.
    pub fn sizes(self) -> Vec<usize> {
        match self {
            Shape::Map { channels, height, width } => vec![channels, height, width],
            Shape::Flat(features) => vec![features],
        }
    }

    /// Channels of a map, features of a vector.
    pub fn channels(self) -> usize {
        match self {
            Shape::Map { channels, .. } => channels,
            Shape::Flat(features) => features,
        }
    }

    /// How many numbers it holds; `u64::MAX` if even that is too few.
    pub fn elements(self) -> u64 {
        self.sizes().into_iter().fold(1, |product: u64, size| product.saturating_mul(size as u64))
    }

    /// The same map with other channels, or a vector of that many features.
    pub fn with_channels(self, channels: usize) -> Shape {
        match self {
            Shape::Map { height, width, .. } => Shape::Map { channels, height, width },
            Shape::Flat(_) => Shape::Flat(channels),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.sizes())
    }
}

/// Shapes that do not fit: says where, what, and which shapes were met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scope}: {problem}")]
pub struct ShapeError {
    /// The node's place in the architecture.
    pub scope: String,
    /// Such as `conv 5x5 needs a map of at least 5x5 with padding 0, got [16, 2, 2]`.
    pub problem: String,
}

impl Primitive {
    /// The output's shape.
    ///
    /// # Errors
    /// The problem in words, without the place.
    pub(super) fn infer(&self, inputs: &[Shape]) -> Result<Shape, String> {
        if let Some(empty) = inputs.iter().find(|shape| shape.sizes().contains(&0)) {
            return Err(format!("{self} cannot read an empty input {empty}"));
        }
        match self {
            Primitive::Input => Err("a graph has one input, made by `Graph::new`".into()),
            Primitive::Conv(conv) => conv.infer(self.map(inputs)?),
            Primitive::Linear { features, .. } => {
                let _ = self.flat(inputs)?;
                positive(*features, "linear", "feature count")?;
                Ok(Shape::Flat(*features))
            }
            Primitive::BatchNorm { epsilon, momentum, .. } => {
                within(*epsilon > 0.0 && epsilon.is_finite(), "batch norm", "an epsilon above 0", *epsilon)?;
                within((0.0..=1.0).contains(momentum), "batch norm", "a momentum in [0, 1]", *momentum)?;
                self.one(inputs)
            }
            Primitive::Activation(_) => self.one(inputs),
            Primitive::MaxPool(window) | Primitive::AvgPool { window, .. } => {
                self.map(inputs).and_then(|map| window.infer(self, map))
            }
            Primitive::GlobalAvgPool => {
                let (channels, ..) = self.map(inputs)?;
                Ok(Shape::Map { channels, height: 1, width: 1 })
            }
            Primitive::Flatten => {
                let (channels, height, width) = self.map(inputs)?;
                let features = channels.checked_mul(height).and_then(|area| area.checked_mul(width));
                features
                    .map(Shape::Flat)
                    .ok_or_else(|| format!("flatten of [{channels}, {height}, {width}] is too large"))
            }
            Primitive::Add => self.equal(inputs),
            Primitive::Mul => self.gated(inputs),
            Primitive::Concat => self.concatenated(inputs),
            Primitive::Slice { start, end } => {
                let shape = self.one(inputs)?;
                if start >= end || *end > shape.channels() {
                    return Err(format!(
                        "{self} needs a range within the {} channels of {shape}",
                        shape.channels()
                    ));
                }
                Ok(shape.with_channels(end - start))
            }
            Primitive::Shift { rows } => {
                let (channels, height, width) = self.map(inputs)?;
                if *rows >= height.min(width) {
                    return Err(format!(
                        "{self} needs a map larger than {rows}x{rows}, got [{channels}, {height}, {width}]"
                    ));
                }
                self.one(inputs)
            }
            Primitive::Resize { size: [rows, columns], .. } => {
                let (channels, height, width) = self.map(inputs)?;
                if *rows < height || *columns < width {
                    return Err(format!("{self} cannot shrink a map, got [{channels}, {height}, {width}]"));
                }
                Ok(Shape::Map { channels, height: *rows, width: *columns })
            }
            Primitive::Zero { channels, stride } => {
                positive(*channels, "zero", "channel count")?;
                positive(*stride, "zero", "stride")?;
                match self.one(inputs)? {
                    Shape::Map { height, width, .. } => Ok(Shape::Map {
                        channels: *channels,
                        height: height.div_ceil(*stride),
                        width: width.div_ceil(*stride),
                    }),
                    Shape::Flat(_) if *stride == 1 => Ok(Shape::Flat(*channels)),
                    flat => Err(format!("{self} needs a map, got {flat}")),
                }
            }
            Primitive::Dropout { rate } => {
                within((0.0..1.0).contains(rate), "dropout", "a rate in [0, 1)", *rate)?;
                self.one(inputs)
            }
            Primitive::DropPath { depth } => {
                within(*depth > 0.0 && *depth <= 1.0, "drop path", "a depth in (0, 1]", *depth)?;
                self.one(inputs)
            }
        }
    }

    fn one(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [shape] => Ok(*shape),
            _ => Err(format!("{self} needs one input, got {}", listed(inputs))),
        }
    }

    fn map(&self, inputs: &[Shape]) -> Result<(usize, usize, usize), String> {
        match self.one(inputs)? {
            Shape::Map { channels, height, width } => Ok((channels, height, width)),
            flat => Err(format!("{self} needs a map, got {flat}")),
        }
    }

    fn flat(&self, inputs: &[Shape]) -> Result<usize, String> {
        match self.one(inputs)? {
            Shape::Flat(features) => Ok(features),
            map => Err(format!("{self} needs a vector, got {map}; flatten it first")),
        }
    }

    fn equal(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|shape| shape == first) => Ok(*first),
            _ => Err(format!("{self} needs two or more inputs of equal shape, got {}", listed(inputs))),
        }
    }

    fn gated(&self, inputs: &[Shape]) -> Result<Shape, String> {
        match inputs {
            [first, second] if first == second => Ok(*first),
            [Shape::Map { channels, height, width }, Shape::Map { channels: gates, height: 1, width: 1 }]
                if channels == gates =>
            {
                Ok(Shape::Map { channels: *channels, height: *height, width: *width })
            }
            _ => Err(format!("{self} needs two equal shapes or a map and its gate, got {}", listed(inputs))),
        }
    }

    fn concatenated(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let total = inputs.iter().try_fold(0usize, |sum, shape| sum.checked_add(shape.channels()));
        match (inputs, total) {
            ([first, rest @ ..], Some(total))
                if !rest.is_empty()
                    && rest.iter().all(|shape| shape.with_channels(1) == first.with_channels(1)) =>
            {
                Ok(first.with_channels(total))
            }
            _ => Err(format!(
                "{self} needs two or more inputs of equal height and width, got {}",
                listed(inputs)
            )),
        }
    }
}

impl Conv {
    fn infer(&self, (channels, height, width): (usize, usize, usize)) -> Result<Shape, String> {
        positive(self.channels, "conv", "channel count")?;
        positive(self.groups, "conv", "group count")?;
        positive(self.dilation, "conv", "dilation")?;
        for axis in 0..2 {
            positive(self.kernel[axis], "conv", "kernel size")?;
            positive(self.stride[axis], "conv", "stride")?;
        }
        if !channels.is_multiple_of(self.groups) || !self.channels.is_multiple_of(self.groups) {
            let Conv { groups, channels: out, .. } = self;
            return Err(format!(
                "conv of {groups} groups needs a multiple of that, got {channels} channels in, {out} out"
            ));
        }
        let extent = self.extent();
        let rows = steps(height, extent[0], self.stride[0], self.padding[0]);
        let columns = steps(width, extent[1], self.stride[1], self.padding[1]);
        match (rows, columns) {
            (Some(height), Some(width)) => Ok(Shape::Map { channels: self.channels, height, width }),
            _ => Err(format!(
                "{self} needs a map of at least {}x{} with padding {}, got [{channels}, {height}, {width}]",
                extent[0],
                extent[1],
                self.padding[0].max(self.padding[1]),
            )),
        }
    }
}

impl Window {
    fn infer(
        &self,
        pool: &Primitive,
        (channels, height, width): (usize, usize, usize),
    ) -> Result<Shape, String> {
        let Window { kernel, stride, padding } = *self;
        positive(kernel, pool.kind(), "window size")?;
        positive(stride, pool.kind(), "stride")?;
        if padding > kernel / 2 {
            // A window wholly inside the padding would have no maximum and no mean.
            return Err(format!("{pool} needs a padding of at most half the window, got {padding}"));
        }
        match (steps(height, kernel, stride, padding), steps(width, kernel, stride, padding)) {
            (Some(height), Some(width)) => Ok(Shape::Map { channels, height, width }),
            _ => Err(format!(
                "{pool} needs a map of at least {kernel}x{kernel} with padding {padding}, got [{channels}, {height}, {width}]"
            )),
        }
    }
}

/// How many times a window fits along one axis; `None` where it does not fit once.
fn steps(size: usize, extent: usize, stride: usize, padding: usize) -> Option<usize> {
    let padded = padding.checked_mul(2)?.checked_add(size)?;
    Some(padded.checked_sub(extent)? / stride + 1)
}

fn positive(size: usize, what: &str, part: &str) -> Result<(), String> {
    if size == 0 { Err(format!("{what} needs a {part} of at least 1, got 0")) } else { Ok(()) }
}

fn within(holds: bool, what: &str, bound: &str, value: f64) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{what} needs {bound}, got {value}")) }
}

fn listed(shapes: &[Shape]) -> String {
    match shapes {
        [] => "none".into(),
        _ => shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(" and "),
    }
}
