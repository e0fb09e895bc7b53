//! Pictures with their labels side by side, to be looked at.
//!
//! One group of tiles a sample: the picture with its boxes (and the masks of its objects, where nothing else shows them), its
//! classes of pixels laid over it, its depth from near (yellow) to far (violet), its normals as colours. Boxes that are
//! neither asked for nor a mistake to find are grey. Holes and pixels to be ignored are black; a label that no sample has
//! takes no room.

mod colours;
mod ink;
mod titles;

use crate::data::{Class, Classes, Label, Object, Picture, Plane, Sample};
use ink::Canvas;
use titles::{Title, Titles};

/// How a sheet is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Width of a tile in pixels; its height follows from the pictures.
    pub tile: usize,
    /// Samples beside one another.
    pub across: usize,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout { tile: 160, across: 2 }
    }
}

/// Pixels between tiles, and round the sheet.
const GAP: usize = 4;
/// Height of the line of text above a group.
const CAPTION: usize = 12;

impl Layout {
    /// A sheet of all these samples.
    ///
    /// ```
    /// use cellwright::data::Scenes;
    /// use cellwright::must::draw::Layout;
    ///
    /// let scenes = Scenes { count: 2, width: 16, height: 12, ..Scenes::default() };
    /// let samples = [scenes.sample(0), scenes.sample(1)];
    /// let sheet = Layout { tile: 32, across: 1 }.sheet(&samples, &scenes.classes());
    /// assert_eq!(sheet.size(), (4 * 36 + 4, 2 * (12 + 24 + 4) + 4));
    /// ```
    pub fn sheet(&self, samples: &[Sample], classes: &Classes) -> Picture {
        let has = |label: Label| samples.iter().any(|sample| sample.has(label));
        let dense = [Label::Segmentation, Label::Depth, Label::Normals];
        let shown: Vec<Label> = dense.into_iter().filter(|&label| has(label)).collect();
        let group = (1 + shown.len()) * (self.tile + GAP);
        let rows: Vec<&[Sample]> = samples.chunks(self.across.max(1)).collect();
        let tall = |row: &[Sample]| {
            CAPTION + row.iter().map(|sample| self.tile_height(sample)).max().unwrap_or(0) + GAP
        };
        let height: usize = rows.iter().map(|row| tall(row)).sum();
        let mut canvas = Canvas::new(rows.first().map_or(0, |row| row.len()) * group + GAP, height + GAP);
        let mut top = GAP;
        for row in rows {
            for (index, sample) in row.iter().enumerate() {
                let left = GAP + index * group;
                canvas.text(left, top + 1, &caption(sample, classes), group - GAP, [235; 3]);
                canvas.paste(left, top + CAPTION, &self.first_tile(sample, classes));
                for (column, &label) in shown.iter().enumerate() {
                    if let Some(tile) = dense_tile(sample, label) {
                        let tile = tile.nearest(self.tile, self.tile_height(sample));
                        canvas.paste(left + (column + 1) * (self.tile + GAP), top + CAPTION, &tile);
                    }
                }
            }
            top += tall(row);
        }
        canvas.picture()
    }

    fn tile_height(&self, sample: &Sample) -> usize {
        let (width, height) = sample.size();
        (self.tile * height).div_ceil(width.max(1)).max(1)
    }

    /// The picture with its boxes and their titles; with its objects' masks, where no tile of pixels' classes shows them.
    fn first_tile(&self, sample: &Sample, classes: &Classes) -> Picture {
        let (width, height) = (self.tile, self.tile_height(sample));
        let scale = width as f64 / sample.size().0.max(1) as f64;
        let picture = match sample.segmentation {
            Some(_) => sample.picture.nearest(width, height),
            None => masked(sample).nearest(width, height),
        };
        let mut canvas = Canvas::of(picture);
        let edges = |object: &Object| {
            let bounds = object.bounds;
            [bounds.left, bounds.top, bounds.right(), bounds.bottom()].map(|edge| (edge * scale).round())
        };
        // The surest last, so that its frame is whole; its title first, so that it has a place.
        let mut objects: Vec<&Object> = sample.objects.iter().flatten().collect();
        objects.sort_by(|a, b| a.score.unwrap_or(1.0).total_cmp(&b.score.unwrap_or(1.0)));
        for object in &objects {
            let [left, top, right, bottom] = edges(object);
            canvas.frame([left, top, right - 1.0, bottom - 1.0], colour(object));
        }
        let mut titles = Titles::new(width, height);
        for object in objects.iter().rev().filter(|object| !is_unsure(object)) {
            if let Some((x, y, words)) = titles.place(edges(object), &title(object, classes)) {
                canvas.tag(x, y, &words, self.tile, colour(object));
            }
        }
        canvas.picture()
    }
}

/// What a teacher was not sure enough of: a frame alone.
fn is_unsure(object: &Object) -> bool {
    object.difficult && object.score.is_some()
}

/// Grey where finding the object is neither asked for nor a mistake.
fn colour(object: &Object) -> [u8; 3] {
    if object.crowd || object.difficult { [160; 3] } else { colours::of_class(object.class) }
}

/// The picture with its objects' masks laid over it.
fn masked(sample: &Sample) -> Picture {
    let mut picture = sample.picture.clone();
    for object in sample.objects.iter().flatten() {
        let Some(mask) = object.mask.as_ref().filter(|mask| mask.size() == picture.size()) else { continue };
        let colour = colour(object);
        mask.for_each(|x, y| {
            let below = picture.at(x, y);
            let mixed = |part: usize| ((u32::from(below[part]) + u32::from(colour[part])) / 2) as u8;
            picture.set(x, y, [0, 1, 2].map(mixed));
        });
    }
    picture
}

fn name(names: &[String], class: u16) -> String {
    names.get(usize::from(class)).cloned().unwrap_or_else(|| class.to_string())
}

fn title(object: &Object, classes: &Classes) -> Title {
    let score = object.score.map(|score| format!("{:.0}", 100.0 * score));
    Title { name: name(&classes.objects, object.class), score }
}

/// The sample's name and class, a teacher's with how sure it is.
fn caption(sample: &Sample, classes: &Classes) -> String {
    let class = match &sample.class {
        None => String::new(),
        Some(Class::Hard(class)) => name(&classes.pictures, *class),
        Some(Class::Soft(shares)) => {
            let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.map_or(String::new(), |(class, share)| {
                format!("{} {:.0}%", name(&classes.pictures, class as u16), 100.0 * share)
            })
        }
    };
    format!("{} {class}", sample.name).trim_end().to_owned()
}

fn dense_tile(sample: &Sample, label: Label) -> Option<Picture> {
    match label {
        Label::Segmentation => sample.segmentation.as_ref().map(|plane| overlay(&sample.picture, plane)),
        Label::Depth => sample.depth.as_ref().map(depth_map),
        Label::Normals => sample.normals.as_ref().map(normal_map),
        Label::Class | Label::Objects => None,
    }
}

/// Each pixel's class as a colour, with the picture's light and shade.
pub fn overlay(picture: &Picture, segmentation: &Plane<u16>) -> Picture {
    Plane::from_fn(picture.width(), picture.height(), |x, y| {
        let class = segmentation.at(x, y);
        let grey = picture.at(x, y).iter().map(|&level| u32::from(level)).sum::<u32>() / 3;
        match class {
            crate::data::IGNORE => [0; 3],
            class => colours::of_class(class).map(|level| ((u32::from(level) * 7 + grey * 3) / 10) as u8),
        }
    })
}

/// Depth from near (yellow) to far (violet), evenly in its inverse, as the eye judges it; what a teacher gives without a
/// scale, which may be negative, evenly as it is. A fiftieth at either end is not told apart, so that one outlier does
/// not darken all the rest.
pub fn depth_map(depth: &Plane<f32>) -> Picture {
    let metric = depth.values().iter().all(|&depth| depth.is_nan() || depth > 0.0);
    let depth = &depth.map(|depth| if metric { -1.0 / depth } else { depth });
    let mut known: Vec<f32> = depth.values().iter().copied().filter(|depth| depth.is_finite()).collect();
    known.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| known.get((share * known.len() as f64) as usize).copied().unwrap_or(0.0);
    let (near, far) = (at(0.02), at(0.98));
    let span = if far > near { far - near } else { 1.0 };
    depth.map(|depth| match depth.is_finite() {
        true => colours::of_share(f64::from(1.0 - ((depth - near) / span).clamp(0.0, 1.0))),
        false => [0; 3],
    })
}

/// Normals as colours, as papers draw them: red to the left, green up, blue towards the camera.
pub fn normal_map(normals: &Plane<[f32; 3]>) -> Picture {
    let level = |part: f32| ((1.0 - part) * 127.5).round() as u8;
    normals.map(|normal| if normal[0].is_nan() { [0; 3] } else { normal.map(level) })
}

/// A picture as the bytes of a PNG file.
///
/// # Errors
/// A picture without pixels, which PNG does not have.
pub fn png(picture: &Picture) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width() as u32, picture.height() as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let pixels: Vec<u8> = picture.values().iter().flatten().copied().collect();
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scenes;

    #[test]
    fn a_label_that_no_sample_has_takes_no_room_and_holes_are_black() {
        let scenes = Scenes { width: 16, height: 16, ..Scenes::default() };
        let sample = scenes.sample(0).only(&[Label::Class, Label::Depth]);
        let sheet = Layout { tile: 16, across: 1 }.sheet(std::slice::from_ref(&sample), &scenes.classes());
        assert_eq!(sheet.size(), (2 * 20 + 4, 12 + 16 + 4 + 4));
        let drawn = depth_map(sample.depth.as_ref().unwrap());
        for (depth, colour) in sample.depth.unwrap().values().iter().zip(drawn.values()) {
            assert_eq!(depth.is_nan(), *colour == [0; 3]);
        }
        assert_eq!(normal_map(&Plane::filled(1, 1, [0.0, 0.0, -1.0])).at(0, 0), [128, 128, 255]);
    }

    #[test]
    fn boxes_have_the_colour_of_their_class() {
        let bounds = crate::data::Bounds { left: 2.0, top: 3.0, width: 4.0, height: 5.0 };
        let picture = Picture::filled(10, 10, [9; 3]);
        let sample =
            Sample { objects: Some(vec![Object::new(bounds, 1)]), ..Sample::unlabelled("a", picture) };
        let tile = Layout { tile: 10, across: 1 }.first_tile(&sample, &Classes::default());
        let colour = colours::of_class(1);
        assert_eq!([tile.at(2, 3), tile.at(5, 7), tile.at(5, 3)], [colour; 3]);
        assert_eq!([tile.at(1, 3), tile.at(6, 7), tile.at(3, 4), tile.at(5, 8)], [[9; 3]; 4]);
    }

    #[test]
    fn masks_are_laid_over_the_picture_where_no_tile_shows_them() {
        let bounds = crate::data::Bounds { left: 2.0, top: 2.0, width: 4.0, height: 4.0 };
        let inside = Plane::from_fn(10, 10, |x, y| (2..6).contains(&x) && (2..6).contains(&y));
        let object = Object { mask: Some(inside.mask()), ..Object::new(bounds, 1) };
        let picture = Picture::filled(10, 10, [10; 3]);
        let sample = Sample { objects: Some(vec![object]), ..Sample::unlabelled("a", picture) };
        let layout = Layout { tile: 10, across: 1 };
        let tile = layout.first_tile(&sample, &Classes::default());
        let mixed = colours::of_class(1).map(|level| ((u32::from(level) + 10) / 2) as u8);
        assert_eq!([tile.at(3, 3), tile.at(7, 7)], [mixed, [10; 3]]);
        let shown = Sample { segmentation: Some(Plane::filled(10, 10, 0)), ..sample };
        assert_eq!(layout.first_tile(&shown, &Classes::default()).at(3, 3), [10; 3]);
    }
}
