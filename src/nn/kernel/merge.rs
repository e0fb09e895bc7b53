//! What only moves numbers about: sums, ReLUs, concatenations.

use rayon::prelude::*;

use super::operation::{Gradient, Operation};
use super::reuse::taken;
use super::simd::{Masked, Rectified, Summed, dispatch};

/// Floats that a thread takes at once.
pub(super) const TOGETHER: usize = 1 << 14;

/// The sum of two.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    pub(crate) shape: Vec<usize>,
}

impl Operation<2> for Sum {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn forward(&self, [a, b]: [&[f32]; 2]) -> (Vec<f32>, ()) {
        let mut sum = taken(a.len());
        let chunks = sum.par_chunks_mut(TOGETHER).zip(a.par_chunks(TOGETHER)).zip(b.par_chunks(TOGETHER));
        chunks.for_each(|((sum, a), b)| dispatch(Summed { sum, a, b }));
        (sum, ())
    }

    fn read(&self) -> [bool; 2] {
        [false, false]
    }

    fn backward(
        &self,
        _: [&[f32]; 2],
        (): &(),
        gradient: Gradient,
        wanted: [bool; 2],
    ) -> [Option<Gradient>; 2] {
        wanted.map(|wanted| wanted.then(|| gradient.share()))
    }
}

/// `max(x, 0)`.
#[derive(Clone, Debug)]
pub(crate) struct Relu {
    pub(crate) shape: Vec<usize>,
}

impl Operation<1> for Relu {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn forward(&self, [x]: [&[f32]; 1]) -> (Vec<f32>, ()) {
        let mut out = taken(x.len());
        let chunks = out.par_chunks_mut(TOGETHER).zip(x.par_chunks(TOGETHER));
        chunks.for_each(|(to, from)| dispatch(Rectified { from, to }));
        (out, ())
    }

    fn read(&self) -> [bool; 1] {
        [true]
    }

    fn backward(&self, [x]: [&[f32]; 1], (): &(), gradient: Gradient, _: [bool; 1]) -> [Option<Gradient>; 1] {
        let mut gradient = gradient.into_values();
        let chunks = gradient.par_chunks_mut(TOGETHER).zip(x.par_chunks(TOGETHER));
        chunks.for_each(|(values, by)| dispatch(Masked { values, by }));
        [Some(gradient.into())]
    }
}

/// Behind each other along channels.
#[derive(Clone, Debug)]
pub(crate) struct Concat {
    shape: Vec<usize>,
    /// Floats of one picture of each part.
    sizes: Vec<usize>,
}

impl Concat {
    /// Parts of `shapes` `[batch, channels, ..]`, equal but for the channels.
    pub(crate) fn new(shapes: &[Vec<usize>]) -> Concat {
        let mut shape = shapes.first().cloned().unwrap_or_default();
        shape[1] = shapes.iter().map(|shape| shape[1]).sum();
        Concat { shape, sizes: shapes.iter().map(|shape| shape[1..].iter().product()).collect() }
    }

    /// Of each part, where it starts in a picture of the whole.
    fn starts(&self) -> impl Iterator<Item = usize> + '_ {
        self.sizes.iter().scan(0, |next, size| {
            *next += size;
            Some(*next - size)
        })
    }
}

impl<const N: usize> Operation<N> for Concat {
    type Kept = ();

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn forward(&self, parts: [&[f32]; N]) -> (Vec<f32>, ()) {
        let picture: usize = self.sizes.iter().sum();
        let mut whole = taken(self.shape[0] * picture);
        whole.par_chunks_mut(picture.max(1)).enumerate().for_each(|(index, whole)| {
            let places = self.starts().zip(&self.sizes).zip(parts);
            places.for_each(|((start, size), part)| {
                whole[start..start + size].copy_from_slice(&part[index * size..][..*size]);
            });
        });
        (whole, ())
    }

    fn read(&self) -> [bool; N] {
        [false; N]
    }

    fn backward(
        &self,
        _: [&[f32]; N],
        (): &(),
        gradient: Gradient,
        wanted: [bool; N],
    ) -> [Option<Gradient>; N] {
        let whole = gradient.values();
        let picture: usize = self.sizes.iter().sum();
        let mut places = self.starts().zip(&self.sizes).zip(wanted);
        std::array::from_fn(|_| {
            let ((start, size), _) = places.next().filter(|(_, wanted)| *wanted)?;
            let mut part = taken(self.shape[0] * size);
            let pictures = part.par_chunks_mut((*size).max(1)).zip(whole.par_chunks(picture.max(1)));
            pictures.for_each(|(part, whole)| part.copy_from_slice(&whole[start..start + size]));
            Some(part.into())
        })
    }
}
