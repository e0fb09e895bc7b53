//! The widest vectors that the processor has, found out at run time, and loops over whole slices in them.

use pulp::{Arch, Simd, WithSimd};

/// Runs `work` with the processor's widest vectors.
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, work);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, work);
        }
    }
    Arch::new().dispatch(work)
}

/// Sets to zero where `by` is not above zero: a ReLU's backward pass.
pub(crate) struct Masked<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) by: &'a [f32],
}

impl WithSimd for Masked<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (value, by) in self.values.iter_mut().zip(self.by) {
            *value = if *by > 0.0 { *value } else { 0.0 };
        }
    }
}

/// `max(x, 0)`, and what is not a number as it is.
pub(crate) struct Rectified<'a> {
    pub(crate) from: &'a [f32],
    pub(crate) to: &'a mut [f32],
}

impl WithSimd for Rectified<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = rectified(*from);
        }
    }
}

/// `max(x, 0)`, and what is not a number as it is.
#[inline(always)]
pub(crate) fn rectified(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

/// The sum of `a` and `b`.
pub(crate) struct Summed<'a> {
    pub(crate) sum: &'a mut [f32],
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
}

impl WithSimd for Summed<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((sum, a), b) in self.sum.iter_mut().zip(self.a).zip(self.b) {
            *sum = a + b;
        }
    }
}

/// Adds `more` to `sum`.
pub(crate) struct Added<'a> {
    pub(crate) sum: &'a mut [f32],
    pub(crate) more: &'a [f32],
}

impl WithSimd for Added<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (sum, more) in self.sum.iter_mut().zip(self.more) {
            *sum += more;
        }
    }
}
