//! Colours that tell classes apart, and colours that grow.

/// The colour of a class: hues a golden section apart, in three shades.
pub(super) fn of_class(class: u16) -> [u8; 3] {
    let hue = (f64::from(class) * 0.618_034 + 0.08).fract() * 6.0;
    let value = [1.0, 0.72, 0.88][usize::from(class) % 3];
    let part = |shift: f64| {
        let turn = (hue + shift) % 6.0;
        let level = 1.0 - 0.78 * (1.0 - turn.min(4.0 - turn).clamp(0.0, 1.0));
        (255.0 * value * level).round() as u8
    };
    [part(2.0), part(0.0), part(4.0)]
}

/// From violet (0) over green to yellow (1), evenly to the eye: five colours of matplotlib's `viridis` (CC0) and what is
/// between them.
pub(super) fn of_share(share: f64) -> [u8; 3] {
    const STEPS: [[f64; 3]; 5] = [
        [68.0, 1.0, 84.0],
        [59.0, 82.0, 139.0],
        [33.0, 145.0, 140.0],
        [94.0, 201.0, 98.0],
        [253.0, 231.0, 37.0],
    ];
    let place = share.clamp(0.0, 1.0) * (STEPS.len() - 1) as f64;
    let step = (place as usize).min(STEPS.len() - 2);
    let part = place - step as f64;
    std::array::from_fn(|channel| {
        (STEPS[step][channel] * (1.0 - part) + STEPS[step + 1][channel] * part).round() as u8
    })
}
