//! Small data sets live on the device as bytes: a batch is gathered, moved, mirrored, normalised and given its holes there,
//! all pictures at once, from a few numbers a row and column that the host sends.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};

use super::augment::View;
use crate::data::Pictures;

/// Most bytes of a set that is kept on a device: its places are counted in 32 bits with a sign.
const MOST_BYTES: usize = i32::MAX as usize;

/// Pictures on a device.
#[derive(Clone)]
pub(super) struct Resident {
    /// All pixels, one behind the other.
    bytes: Tensor<1, Int>,
    /// `(channels, height, width)`
    shape: (usize, usize, usize),
    normal: OnDevice,
}

/// Normalisation of bytes: `byte * scale + shift` by channel, both `[1, channels, 1, 1]`.
#[derive(Clone)]
pub(super) struct OnDevice {
    scale: Tensor<4>,
    shift: Tensor<4>,
}

impl OnDevice {
    /// `normal` is mean and deviation of each channel, of pixels in [0, 1].
    pub(super) fn new((mean, deviation): (&[f32], &[f32]), device: &Device) -> OnDevice {
        let spread = |deviation: &f32| if *deviation > 0.0 { *deviation } else { 1.0 };
        let place = |values: Vec<f32>| {
            let channels = values.len();
            Tensor::from_data(TensorData::new(values, [1, channels, 1, 1]), device)
        };
        let scale = deviation.iter().map(|deviation| 1.0 / (255.0 * spread(deviation))).collect();
        let shift = mean.iter().zip(deviation).map(|(mean, deviation)| -mean / spread(deviation)).collect();
        OnDevice { scale: place(scale), shift: place(shift) }
    }

    /// Bytes from the host, `[batch, channels, height, width]`, normalised.
    pub(super) fn upload(&self, bytes: Vec<u8>, shape: [usize; 4]) -> Tensor<4> {
        let data = TensorData::new(bytes, shape);
        self.apply(Tensor::<4, Int>::from_data(data, (&self.scale.device(), DType::U8)).cast(FloatDType::F32))
    }

    fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        x * self.scale.clone() + self.shift.clone()
    }
}

/// Where pictures lie, whose they are, and their bytes there.
type Kept = (Device, Weak<Vec<u8>>, Tensor<1, Int>);

/// What lies on devices, as long as somebody in memory holds it too: trials one after the other, or beside each other, need
/// not bring the same pictures there again.
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

fn kept(pixels: &Arc<Vec<u8>>, device: &Device) -> Tensor<1, Int> {
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|(_, held, _)| held.strong_count() > 0);
    let held = Arc::downgrade(pixels);
    if let Some((_, _, bytes)) = all.iter().find(|(on, known, _)| on == device && known.ptr_eq(&held)) {
        return bytes.clone();
    }
    let data = TensorData::new(pixels.to_vec(), [pixels.len()]);
    let bytes = Tensor::from_data(data, (device, DType::U8));
    all.push((device.clone(), held, bytes.clone()));
    bytes
}

impl Resident {
    /// Brings the pictures there; `None` where there are too many for that.
    pub(super) fn new(pictures: &Pictures, normal: (&[f32], &[f32]), device: &Device) -> Option<Resident> {
        (pictures.pixels.len() <= MOST_BYTES).then(|| Resident {
            bytes: kept(&pictures.pixels, device),
            shape: pictures.shape,
            normal: OnDevice::new(normal, device),
        })
    }

    /// The pictures of `members`, each as its view says, normalised: `[batch, channels, height, width]`.
    pub(super) fn batch(&self, members: &[usize], views: &[View]) -> Tensor<4> {
        let (channels, height, width) = self.shape;
        let batch = members.len();
        let size = channels * height * width;
        let starts = members.iter().map(|member| (member * size) as i32).collect();
        let planes = (0..channels).map(|channel| (channel * height * width) as i32).collect();
        let sources = |of: &dyn Fn(&View) -> Vec<Option<usize>>| -> Vec<Option<usize>> {
            views.iter().flat_map(of).collect()
        };
        let rows = sources(&|view| (0..height).map(|row| view.source_row(row, height)).collect());
        let columns = sources(&|view| (0..width).map(|column| view.source_column(column, width)).collect());
        let places = |from: &[Option<usize>], step: usize| -> Vec<i32> {
            from.iter().map(|place| (place.unwrap_or(0) * step) as i32).collect()
        };
        let index = self.whole(starts, [batch, 1, 1, 1])
            + self.whole(planes, [1, channels, 1, 1])
            + self.whole(places(&rows, width), [batch, 1, height, 1])
            + self.whole(places(&columns, 1), [batch, 1, 1, width]);
        let bytes = self.bytes.clone().select(0, index.reshape([batch * size]));
        let mut x = bytes.cast(FloatDType::F32).reshape([batch, channels, height, width]);
        let missing = |from: &[Option<usize>]| from.iter().any(Option::is_none);
        if missing(&rows) || missing(&columns) {
            let inside = |from: &[Option<usize>]| {
                from.iter().map(|place| f32::from(u8::from(place.is_some()))).collect()
            };
            x = x
                * self.part(inside(&rows), [batch, 1, height, 1])
                * self.part(inside(&columns), [batch, 1, 1, width]);
        }
        let x = self.normal.apply(x);
        if views.iter().all(|view| view.cut.is_none()) {
            return x;
        }
        let holes = |of: &dyn Fn(&View, usize) -> bool, side: usize| -> Vec<f32> {
            let line = |view| (0..side).map(move |at| f32::from(u8::from(of(view, at))));
            views.iter().flat_map(line).collect()
        };
        let down = holes(&|view, at| view.cut.as_ref().is_some_and(|(rows, _)| rows.contains(&at)), height);
        let across =
            holes(&|view, at| view.cut.as_ref().is_some_and(|(_, columns)| columns.contains(&at)), width);
        let hole = self.part(down, [batch, 1, height, 1]) * self.part(across, [batch, 1, 1, width]);
        x * (hole.neg() + 1.0)
    }

    fn whole(&self, values: Vec<i32>, shape: [usize; 4]) -> Tensor<4, Int> {
        Tensor::from_data(TensorData::new(values, shape), &self.bytes.device())
    }

    fn part(&self, values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values, shape), &self.bytes.device())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::augment::Normalizer;
    use crate::random::Seed;
    use crate::recipe::Augment;

    fn pictures() -> Pictures {
        let pixels = (0..12 * 3 * 6 * 5).map(|at| (at * 37 % 256) as u8).collect();
        Pictures::new(pixels, vec![0; 12], (3, 6, 5))
    }

    #[test]
    fn a_batch_on_the_device_is_that_of_the_host() {
        let (pictures, normal) = (pictures(), ([0.5f32, 0.4, 0.3], [0.25f32, 0.0, 0.2]));
        let resident = Resident::new(&pictures, (&normal.0, &normal.1), &crate::nn::device()).unwrap();
        let tables = Normalizer::new(&normal.0, &normal.1);
        let mut rng = Seed(6).stream(0, "test");
        let members = [7, 0, 11, 7];
        for augment in [
            Augment::default(),
            Augment { flip: true, ..Augment::default() },
            Augment { crop: 2, flip: true, cutout: 3, ..Augment::default() },
            Augment { crop: 9, ..Augment::default() },
        ] {
            let views: Vec<View> = members.iter().map(|_| View::draw(&augment, 6, 5, &mut rng)).collect();
            let mut wanted = Vec::new();
            for (member, view) in members.iter().zip(&views) {
                view.write(pictures.picture(*member), (6, 5), &tables, &mut wanted);
            }
            let met = resident.batch(&members, &views);
            assert_eq!(met.dims(), [4, 3, 6, 5]);
            let close =
                met.into_data().iter::<f32>().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 1e-4);
            assert!(close, "{augment:?}");
        }
    }

    #[test]
    fn bytes_from_the_host_are_normalised_there() {
        let normal = OnDevice::new((&[0.5], &[0.25]), &crate::nn::device());
        let met = normal.upload(vec![0, 255, 51, 102], [2, 1, 1, 2]).into_data();
        let wanted = [-2.0, 2.0, -1.2, -0.4];
        assert!(met.iter::<f32>().zip(wanted).all(|(met, wanted)| (met - wanted).abs() < 1e-5), "{met:?}");
    }

    #[test]
    fn the_same_pictures_are_brought_there_once() {
        let pictures = pictures();
        let of = |pictures: &Pictures| {
            let all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().filter(|(_, held, _)| held.as_ptr() == Arc::as_ptr(&pictures.pixels)).count()
        };
        let make = || Resident::new(&pictures, (&[0.0; 3], &[1.0; 3]), &crate::nn::device());
        let (_first, _second) = (make(), make());
        assert_eq!(of(&pictures), 1);
        let gone = Arc::as_ptr(&pictures.pixels);
        drop(pictures);
        let other = Pictures::new(vec![1, 2], vec![0, 0], (1, 1, 1));
        let _third = Resident::new(&other, (&[0.0], &[1.0]), &crate::nn::device());
        let all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(all.iter().all(|(_, held, _)| held.strong_count() > 0 || held.as_ptr() != gone));
    }
}
