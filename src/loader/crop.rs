//! Which part of a picture is looked at: a random box, or its middle.

use rand::RngExt;

use super::Region;
use crate::random::Rng;

/// Sides of a random box stand to each other between these.
const RATIOS: (f64, f64) = (3.0 / 4.0, 4.0 / 3.0);
/// Boxes drawn before one is made to fit.
const TRIES: usize = 10;

impl Region {
    /// A box of at least the share `least` of a picture's area, anywhere in it, with whole pixels as corners
    /// (Szegedy et al. 2015, *Going Deeper with Convolutions*, as torchvision has it).
    pub(super) fn drawn(width: usize, height: usize, least: f64, rng: &mut Rng) -> Region {
        let area = (width * height) as f64;
        for _ in 0..TRIES {
            let wanted = area * rng.random_range(least.min(1.0)..=1.0);
            let ratio = rng.random_range(RATIOS.0.ln()..=RATIOS.1.ln()).exp();
            let across = (wanted * ratio).sqrt().round() as usize;
            let down = (wanted / ratio).sqrt().round() as usize;
            if (1..=width).contains(&across) && (1..=height).contains(&down) {
                let top = rng.random_range(0..=height - down) as f64;
                let left = rng.random_range(0..=width - across) as f64;
                return Region { left, top, width: across as f64, height: down as f64 };
            }
        }
        Region::middle_between(width as f64, height as f64)
    }

    /// The largest box in the middle whose sides stand as allowed.
    fn middle_between(width: f64, height: f64) -> Region {
        let ratio = (width / height).clamp(RATIOS.0, RATIOS.1);
        let across = width.min(height * ratio).round().max(1.0);
        let down = height.min(width / ratio).round().max(1.0);
        Region { left: (width - across) / 2.0, top: (height - down) / 2.0, width: across, height: down }
    }

    /// The middle, as large as fits with the sides of `shape` (height, width), times `share`.
    pub(super) fn middle(width: usize, height: usize, shape: (usize, usize), share: f64) -> Region {
        let (width, height) = (width as f64, height as f64);
        let scale = (width / shape.1 as f64).min(height / shape.0 as f64) * share;
        let (across, down) = (scale * shape.1 as f64, scale * shape.0 as f64);
        Region { left: (width - across) / 2.0, top: (height - down) / 2.0, width: across, height: down }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn boxes_stay_inside_and_keep_area_and_ratio() {
        let mut rng = Seed(3).stream(0, "test");
        let mut shares = Vec::new();
        for (width, height) in [(500, 375), (37, 41)] {
            for _ in 0..2000 {
                let Region { left, top, width: w, height: h } = Region::drawn(width, height, 0.08, &mut rng);
                assert!(left >= 0.0 && top >= 0.0 && left + w <= width as f64 && top + h <= height as f64);
                assert!([left, top, w, h].iter().all(|side| side.fract() == 0.0));
                assert!((0.65..1.5).contains(&(w / h)), "{w}x{h}");
                shares.push(w * h / (width * height) as f64);
            }
        }
        let (least, most) =
            shares.iter().fold((1.0f64, 0.0f64), |(a, b), &share| (a.min(share), b.max(share)));
        assert!((0.06..0.1).contains(&least) && most > 0.9, "{least} {most}");
    }

    #[test]
    fn pictures_that_no_box_fits_give_their_middle() {
        let mut rng = Seed(3).stream(0, "test");
        let tall = Region::drawn(10, 1000, 0.9, &mut rng);
        assert_eq!(tall, Region { left: 0.0, top: 493.5, width: 10.0, height: 13.0 });
        let dot = Region::drawn(1, 1, 0.08, &mut rng);
        assert_eq!(dot, Region { left: 0.0, top: 0.0, width: 1.0, height: 1.0 });
    }

    #[test]
    fn the_middle_has_the_sides_that_are_asked_for() {
        let wide = Region::middle(400, 200, (100, 100), 0.5);
        assert_eq!(wide, Region { left: 150.0, top: 50.0, width: 100.0, height: 100.0 });
        let all = Region::middle(6, 3, (4, 8), 1.0);
        assert_eq!(all, Region { left: 0.0, top: 0.0, width: 6.0, height: 3.0 });
    }
}
