//! Where the titles of boxes stand: none over another, those of the surest boxes first.

use super::ink::LETTER;

/// Narrower boxes have no title.
const NARROWEST: f64 = 16.0;
/// Letters of a name that still say something.
const FEWEST: usize = 3;

/// What a box is called: a name, and how sure a teacher was.
pub(super) struct Title {
    pub name: String,
    /// In hundredths.
    pub score: Option<String>,
}

impl Title {
    /// From the whole of it to the score alone; a box is so many letters wide.
    fn wordings(&self, letters: usize) -> Vec<String> {
        let count = self.name.chars().count();
        let cut = |room: usize| self.name.chars().take(room.max(FEWEST).min(count)).collect::<String>();
        match &self.score {
            None => vec![self.name.clone(), cut(letters)],
            Some(score) => {
                let room = letters.saturating_sub(score.len() + 1);
                vec![
                    format!("{} {score}", self.name),
                    format!("{} {score}", cut(room)),
                    format!("{} {score}", cut(0)),
                    score.clone(),
                ]
            }
        }
    }
}

/// The places that are taken on a picture of a size.
pub(super) struct Titles {
    size: (i64, i64),
    /// Left, top, right of lines of letters.
    taken: Vec<[i64; 3]>,
}

impl Titles {
    pub fn new(width: usize, height: usize) -> Titles {
        Titles { size: (width as i64, height as i64), taken: Vec::new() }
    }

    /// The words for a box `[left, top, right, bottom]` and their upper left corner, which are taken from now on: as much of
    /// the title as has a place at one of the box's corners, outside or inside. `None` where not even the score has.
    pub fn place(&mut self, edges: [f64; 4], title: &Title) -> Option<(usize, usize, String)> {
        let [left, top, right, bottom] = edges.map(|edge| edge as i64);
        if edges[2] - edges[0] < NARROWEST {
            return None;
        }
        let line = LETTER as i64;
        for words in title.wordings((right - left).max(0) as usize / LETTER) {
            let wide = (words.chars().count() * LETTER) as i64;
            for y in [top - line, top, bottom, bottom - line] {
                for x in [left, right - wide] {
                    let x = x.clamp(0, (self.size.0 - wide).max(0));
                    if self.is_free(x, y, wide) {
                        self.taken.push([x, y, x + wide]);
                        return Some((x as usize, y as usize, words));
                    }
                }
            }
        }
        None
    }

    fn is_free(&self, x: i64, y: i64, wide: i64) -> bool {
        let line = LETTER as i64;
        let inside = x >= 0 && y >= 0 && x + wide <= self.size.0 && y + line <= self.size.1;
        let apart = |[left, top, right]: &[i64; 3]| {
            x + wide <= *left || *right <= x || y + line <= *top || top + line <= y
        };
        inside && self.taken.iter().all(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_cover_no_other_and_their_scores_stay_whole() {
        let mut titles = Titles::new(100, 60);
        let title = |score: &str| Title { name: "bicycle".into(), score: Some(score.into()) };
        let edges = [20.0, 20.0, 70.0, 50.0];
        let mut placed = Vec::new();
        while let Some((x, y, words)) = titles.place(edges, &title("87")) {
            assert!(words.ends_with("87") && x + words.len() * LETTER <= 100 && y + LETTER <= 60, "{words}");
            placed.push((x, y, words));
        }
        assert_eq!(placed[0], (20, 12, "bicycle 87".into()));
        assert!(placed.len() >= 4, "{placed:?}");
        for (index, (x, y, words)) in placed.iter().enumerate() {
            for (other_x, other_y, other) in &placed[..index] {
                let aside = x + words.len() * LETTER <= *other_x || other_x + other.len() * LETTER <= *x;
                assert!(aside || y.abs_diff(*other_y) >= LETTER, "{placed:?}");
            }
        }
        assert!(Titles::new(100, 60).place([0.0, 0.0, 9.0, 9.0], &title("5")).is_none());
        // Where there is no room for the name, the score is read.
        let narrow = Titles::new(16, 60).place([0.0, 0.0, 16.0, 60.0], &title("87"));
        assert_eq!(narrow, Some((0, 0, "87".into())));
    }
}
