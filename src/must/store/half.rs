//! Half floats, IEEE 754's `binary16`: five bits of exponent, ten of fraction.

/// The nearest half float, ties to even; what is too large becomes infinite, and no number stays none.
pub(super) fn from_single(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    if value.is_nan() {
        return sign | 0x7e00;
    }
    let magnitude = f32::from_bits(bits & 0x7fff_ffff);
    // At and above the middle between the largest half float and the power of two beyond it.
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    // Adding a power of two pushes all fraction bits out that a half float of this size does not have, rounding them.
    let exponent = ((bits >> 23 & 0xff) as i32 - 127).max(-14);
    let power = f32::from_bits(((exponent + 13 + 127) as u32) << 23);
    let rounded = (magnitude + power) - power;
    if rounded < f32::from_bits(113 << 23) {
        // Below 2^-14 a half float counts steps of 2^-24.
        return sign | (rounded * 16_777_216.0) as u16;
    }
    let bits = rounded.to_bits();
    sign | (((bits >> 23) as u16 - 112) << 10) | (bits >> 13 & 0x3ff) as u16
}

/// The same number.
pub(super) fn to_single(half: u16) -> f32 {
    let sign = if half & 0x8000 != 0 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
    match exponent {
        0 => sign * fraction as f32 / 16_777_216.0,
        31 if fraction == 0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * f32::from_bits((exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_float_comes_back_and_what_is_between_two_goes_to_the_nearer() {
        for half in 0..0x7c00u16 {
            let (here, next) = (to_single(half), to_single(half + 1));
            assert_eq!((from_single(here), from_single(-here)), (half, half | 0x8000));
            assert!(here < next);
            if next.is_finite() {
                let middle = here + (next - here) / 2.0;
                assert_eq!(from_single(middle), half + (half & 1), "ties go to even: {middle}");
                assert_eq!(from_single(middle.next_down()), half);
                assert_eq!(from_single(middle.next_up()), half + 1);
            }
        }
    }

    #[test]
    fn known_numbers() {
        let known =
            [(1.0, 0x3c00), (-2.0, 0xc000), (65504.0, 0x7bff), (0.333_251_95, 0x3555), (5.960_464_5e-8, 1)];
        known.into_iter().for_each(|(value, half)| assert_eq!(from_single(value), half, "{value}"));
        assert_eq!([from_single(1e9), from_single(-1e9), from_single(1e-9)], [0x7c00, 0xfc00, 0]);
        assert!(to_single(from_single(f32::NAN)).is_nan());
    }
}
