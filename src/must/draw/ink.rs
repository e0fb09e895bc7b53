//! A picture to draw on: lines, letters, other pictures.

use font8x8::UnicodeFonts;

use crate::data::{Picture, Plane};

/// Side of a letter in pixels.
pub(super) const LETTER: usize = 8;

pub(super) struct Canvas(Picture);

impl Canvas {
    /// Dark all over.
    pub fn new(width: usize, height: usize) -> Canvas {
        Canvas(Plane::filled(width, height, [24; 3]))
    }

    pub fn of(picture: Picture) -> Canvas {
        Canvas(picture)
    }

    pub fn picture(self) -> Picture {
        self.0
    }

    fn dot(&mut self, x: i64, y: i64, colour: [u8; 3]) {
        let inside = (0..self.0.width() as i64).contains(&x) && (0..self.0.height() as i64).contains(&y);
        if inside {
            self.0.set(x as usize, y as usize, colour);
        }
    }

    /// Another picture, its upper left corner here.
    pub fn paste(&mut self, left: usize, top: usize, picture: &Picture) {
        for y in 0..picture.height() {
            (0..picture.width())
                .for_each(|x| self.dot((left + x) as i64, (top + y) as i64, picture.at(x, y)));
        }
    }

    /// The outline of a box `[left, top, right, bottom]`, both ends drawn.
    pub fn frame(&mut self, edges: [f64; 4], colour: [u8; 3]) {
        let [left, top, right, bottom] = edges.map(|edge| edge as i64);
        (left..=right).for_each(|x| [top, bottom].into_iter().for_each(|y| self.dot(x, y, colour)));
        (top..=bottom).for_each(|y| [left, right].into_iter().for_each(|x| self.dot(x, y, colour)));
    }

    /// As much of a line of text as there is room for; what the font does not have becomes `?`.
    pub fn text(&mut self, left: usize, top: usize, text: &str, room: usize, colour: [u8; 3]) {
        for (index, letter) in text.chars().take(room / LETTER).enumerate() {
            let glyph = font8x8::BASIC_FONTS.get(letter).or(font8x8::BASIC_FONTS.get('?'));
            for (y, bits) in glyph.unwrap_or_default().into_iter().enumerate() {
                for x in (0..LETTER).filter(|x| bits >> x & 1 == 1) {
                    self.dot((left + index * LETTER + x) as i64, (top + y) as i64, colour);
                }
            }
        }
    }

    /// Dark text on a ground of this colour.
    pub fn tag(&mut self, left: usize, top: usize, text: &str, room: usize, colour: [u8; 3]) {
        let width = text.chars().count().min(room / LETTER) * LETTER;
        self.paste(left, top, &Plane::filled(width, LETTER, colour));
        self.text(left, top, text, room, [0; 3]);
    }
}
