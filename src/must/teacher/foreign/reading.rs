//! From pictures to a network's numbers, and from its answers to labels.

use super::{Corners, Foreign, Layout, Output};
use crate::data::{Bounds, Object, Picture, Plane, Sample};
use crate::must::augment::scaled;
use crate::must::store::Predictions;

/// Boxes with lower scores are nobody's.
const LEAST: f32 = 0.05;

/// What a network answered: a tensor.
#[derive(Clone, Debug)]
pub(in crate::must::teacher) struct Answer {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Foreign {
    /// A picture's numbers, and their shape.
    pub(in crate::must::teacher) fn numbers(&self, picture: &Picture) -> (Vec<usize>, Vec<f32>) {
        let (width, height) = self.input.size;
        let picture = scaled(&Sample::unlabelled("", picture.clone()), width, height).picture;
        let (mean, deviation) = (parts(self.input.mean), parts(self.input.deviation));
        let number = |colour: [u8; 3], channel: usize| {
            (f32::from(colour[channel]) / 255.0 * self.input.white - mean[channel]) / deviation[channel]
        };
        let colours = picture.values();
        match self.input.layout {
            Layout::Nchw => {
                let planes = (0..3).flat_map(|channel| colours.iter().map(move |colour| (*colour, channel)));
                (vec![1, 3, height, width], planes.map(|(colour, channel)| number(colour, channel)).collect())
            }
            Layout::Nhwc => {
                let pixels =
                    colours.iter().flat_map(|colour| [0, 1, 2].map(|channel| number(*colour, channel)));
                (vec![1, height, width, 3], pixels.collect())
            }
        }
    }

    /// What the network's answers say of a picture of this size.
    ///
    /// # Errors
    /// Answers of another shape than the description asks for.
    pub(in crate::must::teacher) fn read(
        &self,
        answers: &[Answer],
        size: (usize, usize),
    ) -> Result<Predictions, String> {
        let mut said = Predictions::default();
        for output in &self.outputs {
            match output {
                Output::Class { output, logits } => said.class = Some(self.class(answers, *output, *logits)?),
                Output::Objects { .. } => said.objects = Some(self.objects(answers, output, size)?),
                Output::Segmentation { output, logits } => {
                    let map = self.map(answers, *output, Some(self.classes.segmentation.len()))?;
                    said.segmentation = Some(map.classes(size, *logits));
                }
                Output::Depth { output, inverse } => {
                    let map = self.map(answers, *output, Some(1))?;
                    let depth = |value: f32| match inverse {
                        false => value,
                        true if value > 0.0 => 1.0 / value,
                        true => f32::NAN,
                    };
                    said.depth = Some(Plane::from_fn(size.0, size.1, |x, y| depth(map.at(0, (x, y), size))));
                }
                Output::Normals { output, signs } => {
                    let (map, signs) = (self.map(answers, *output, Some(3))?, parts(*signs));
                    let part = |pixel, axis: usize| signs[axis] * map.at(axis, pixel, size);
                    let normal = |x, y| [0, 1, 2].map(|axis| part((x, y), axis));
                    said.normals = Some(Plane::from_fn(size.0, size.1, normal));
                }
            }
        }
        Ok(said)
    }

    fn class(&self, answers: &[Answer], output: usize, logits: bool) -> Result<Vec<f32>, String> {
        let answer = answer(answers, output)?;
        let classes = self.classes.pictures.len();
        if answer.values.len() != classes {
            let found = &answer.shape;
            return Err(format!("output {output} is {found:?}, `classes.pictures` names {classes} classes"));
        }
        let mut shares = answer.values.clone();
        if logits {
            softmax(&mut shares);
        }
        Ok(shares)
    }

    fn objects(
        &self,
        answers: &[Answer],
        output: &Output,
        size: (usize, usize),
    ) -> Result<Vec<Object>, String> {
        let Output::Objects { boxes, corners, scores, classes, overlap } = output else {
            return Ok(Vec::new());
        };
        let (box_values, score_values) = (answer(answers, *boxes)?, answer(answers, *scores)?);
        let count = box_values.values.len() / 4;
        let names = self.classes.objects.len();
        let class_values = classes.map(|classes| answer(answers, classes)).transpose()?;
        let expected = if class_values.is_some() { count } else { count * names };
        let fits = box_values.values.len() == 4 * count
            && box_values.shape.last() == Some(&4)
            && score_values.values.len() == expected
            && class_values.is_none_or(|classes| classes.values.len() == count);
        if !fits {
            return Err(format!(
                "boxes are {:?} and scores {:?}, which do not go together with {names} classes",
                box_values.shape, score_values.shape
            ));
        }
        let (x, y) = (size.0 as f64 / self.input.size.0 as f64, size.1 as f64 / self.input.size.1 as f64);
        let mut found = Vec::new();
        for (index, four) in box_values.values.chunks_exact(4).enumerate() {
            let bounds = corners.bounds([four[0], four[1], four[2], four[3]].map(f64::from), (x, y));
            let Some(bounds) = bounds.clipped(size.0, size.1) else { continue };
            let told: Vec<(usize, f32)> = match class_values {
                Some(classes) => vec![(classes.values[index] as usize, score_values.values[index])],
                None => score_values.values[index * names..][..names].iter().copied().enumerate().collect(),
            };
            let told = told.into_iter().filter(|(class, score)| *class < names && *score >= LEAST);
            found.extend(told.map(|(class, score)| Object {
                score: Some(score.min(1.0)),
                ..Object::new(bounds, class as u16)
            }));
        }
        Ok(suppressed(found, *overlap))
    }

    /// An output as channels of one map.
    fn map(&self, answers: &[Answer], output: usize, channels: Option<usize>) -> Result<Map, String> {
        let answer = answer(answers, output)?;
        let batchless = match answer.shape.as_slice() {
            [1, rest @ ..] if rest.len() >= 2 => rest,
            shape => shape,
        };
        let (count, height, width) = match (batchless, self.input.layout) {
            ([height, width], _) => (1, *height, *width),
            ([count, height, width], Layout::Nchw) | ([height, width, count], Layout::Nhwc) => {
                (*count, *height, *width)
            }
            _ => return Err(format!("output {output} is {:?}, which is no map", answer.shape)),
        };
        if channels.is_some_and(|channels| channels != count) || count * height * width == 0 {
            let expected = channels.unwrap_or(count);
            return Err(format!(
                "output {output} is {:?}, a map of {expected} channels is asked for",
                answer.shape
            ));
        }
        let nchw = self.input.layout == Layout::Nchw || batchless.len() == 2;
        let values = if nchw {
            answer.values.clone()
        } else {
            let at = |channel: usize, pixel: usize| answer.values[pixel * count + channel];
            (0..count).flat_map(|channel| (0..height * width).map(move |pixel| at(channel, pixel))).collect()
        };
        Ok(Map { channels: count, height, width, values })
    }
}

impl Corners {
    fn bounds(self, four: [f64; 4], (x, y): (f64, f64)) -> Bounds {
        let [a, b, c, d] = four;
        match self {
            Corners::Corners => Bounds::between(a * x, b * y, c * x, d * y),
            Corners::Middle => {
                Bounds { left: (a - c / 2.0) * x, top: (b - d / 2.0) * y, width: c * x, height: d * y }
            }
        }
    }
}

fn parts((x, y, z): (f32, f32, f32)) -> [f32; 3] {
    [x, y, z]
}

fn answer(answers: &[Answer], output: usize) -> Result<&Answer, String> {
    answers.get(output).ok_or_else(|| format!("there is no output {output}, but {}", answers.len()))
}

fn softmax(values: &mut [f32]) {
    let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter_mut().for_each(|value| *value = (*value - most).exp());
    let sum: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
}

/// Of boxes of one class that overlap more than `overlap`, the one of the best score.
fn suppressed(mut found: Vec<Object>, overlap: f64) -> Vec<Object> {
    found.sort_by(|a, b| b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0)));
    let mut kept: Vec<Object> = Vec::new();
    for object in found {
        let covered =
            |other: &Object| other.class == object.class && other.bounds.overlap(&object.bounds) > overlap;
        if overlap >= 1.0 || !kept.iter().any(covered) {
            kept.push(object);
        }
    }
    kept
}

/// Numbers of one picture, `[channels, height, width]`.
struct Map {
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Map {
    /// The value of a channel at a pixel of a picture of another size, between the four nearest.
    fn at(&self, channel: usize, (x, y): (usize, usize), (width, height): (usize, usize)) -> f32 {
        let place = |pixel: usize, of: usize, here: usize| {
            let place = ((pixel as f32 + 0.5) * here as f32 / of as f32 - 0.5).clamp(0.0, (here - 1) as f32);
            let low = place.floor();
            (low as usize, (low as usize + 1).min(here - 1), place - low)
        };
        let ((left, right, across), (top, bottom, down)) =
            (place(x, width, self.width), place(y, height, self.height));
        let value = |x: usize, y: usize| self.values[(channel * self.height + y) * self.width + x];
        let row = |y: usize| value(left, y) * (1.0 - across) + value(right, y) * across;
        row(top) * (1.0 - down) + row(bottom) * down
    }

    /// The likeliest class of each pixel, and its probability.
    fn classes(&self, size: (usize, usize), logits: bool) -> (Plane<u16>, Plane<f32>) {
        let mut scores = Plane::filled(size.0, size.1, 0.0);
        let classes = Plane::from_fn(size.0, size.1, |x, y| {
            let mut shares: Vec<f32> =
                (0..self.channels).map(|channel| self.at(channel, (x, y), size)).collect();
            if logits {
                softmax(&mut shares);
            }
            let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let (class, score) = best.map_or((0, 0.0), |(class, score)| (class, *score));
            scores.set(x, y, score);
            class as u16
        });
        (classes, scores)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    fn foreign(outputs: &str) -> Foreign {
        let text = format!(
            "Foreign(name: \"a\", file: \"a.onnx\", input: (size: (4, 2)), outputs: [{outputs}],
             classes: (pictures: [\"a\", \"b\"], objects: [\"x\", \"y\"], segmentation: [\"s\", \"t\"]))"
        );
        Foreign::from_ron("a.ron", &text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn answer(shape: &[usize], values: &[f32]) -> Answer {
        Answer { shape: shape.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn pictures_go_in_as_the_description_says() {
        let mut teacher = foreign("Depth(output: 0)");
        let picture = Picture::filled(4, 2, [255, 0, 51]);
        let (shape, numbers) = teacher.numbers(&picture);
        assert_eq!((shape, numbers[0], numbers[8], numbers[23]), (vec![1, 3, 2, 4], 1.0, 0.0, 0.2));
        teacher.input = Input {
            layout: Layout::Nhwc,
            white: 255.0,
            mean: (55.0, 0.0, 1.0),
            deviation: (100.0, 1.0, 10.0),
            ..teacher.input
        };
        let (shape, numbers) = teacher.numbers(&picture);
        assert_eq!((shape, &numbers[..3]), (vec![1, 2, 4, 3], &[2.0, 0.0, 5.0][..]));
        assert_eq!(teacher.numbers(&Picture::filled(9, 7, [0; 3])).1.len(), 24);
    }

    #[test]
    fn labels_come_out_in_the_pictures_own_pixels() {
        let teacher = foreign(
            "Class(output: 0), Segmentation(output: 1, logits: false), Depth(output: 2, inverse: true),
             Normals(output: 3), Objects(boxes: 4, scores: 5)",
        );
        let answers = [
            answer(&[1, 2], &[0.0, 3.0f32.ln()]),
            answer(&[1, 2, 1, 2], &[0.9, 0.2, 0.1, 0.8]),
            answer(&[1, 1, 2], &[2.0, 0.0]),
            answer(&[1, 3, 1, 1], &[0.0, 0.6, 0.8]),
            answer(&[1, 3, 4], &[0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 2.0, 1.9, 1.0, 0.0, 9.0, 2.0]),
            answer(&[1, 3, 2], &[0.9, 0.0, 0.8, 0.3, 0.01, 0.6]),
        ];
        let said = teacher.read(&answers, (8, 2)).unwrap();
        let class = said.class.unwrap();
        assert!((class[1] - 0.75).abs() < 1e-6, "{class:?}");
        let (classes, scores) = said.segmentation.unwrap();
        assert_eq!((classes.at(0, 0), classes.at(7, 1)), (0, 1));
        assert!((scores.at(0, 0) - 0.9).abs() < 1e-6 && scores.at(3, 0) < 0.7);
        let depth = said.depth.unwrap();
        assert_eq!((depth.at(0, 0), depth.at(7, 0).is_nan(), depth.size()), (0.5, true, (8, 2)));
        assert_eq!(said.normals.unwrap().at(5, 1), [0.0, -0.6, -0.8]);
        let objects = said.objects.unwrap();
        let told: Vec<_> =
            objects.iter().map(|object| (object.class, object.score, object.bounds.right())).collect();
        assert_eq!(told, [(0, Some(0.9), 4.0), (1, Some(0.6), 8.0), (1, Some(0.3), 4.0)]);
    }

    #[test]
    fn answers_of_another_shape_are_told() {
        let answers = [answer(&[1, 3], &[0.0; 3]), answer(&[2, 4], &[0.0; 8])];
        let said = |outputs: &str| foreign(outputs).read(&answers, (4, 4)).unwrap_err();
        assert_eq!(said("Class(output: 0)"), "output 0 is [1, 3], `classes.pictures` names 2 classes");
        assert_eq!(said("Class(output: 7)"), "there is no output 7, but 2");
        assert_eq!(said("Normals(output: 1)"), "output 1 is [2, 4], a map of 3 channels is asked for");
        assert_eq!(
            said("Objects(boxes: 1, scores: 0)"),
            "boxes are [2, 4] and scores [1, 3], which do not go together with 2 classes"
        );
    }
}
