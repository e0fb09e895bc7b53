//! One picture's labels as bytes: numbers in little-endian order, dense maps deflated, depth and normals as half floats.

use std::io::{Read, Write};

use super::half;
use super::labels::PseudoLabels;
use crate::data::{Bounds, Mask, Object, Plane};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// The bytes of a picture's name and labels.
pub(super) fn encode(name: &str, labels: &PseudoLabels) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    put_bytes(&mut out, name.as_bytes());
    put_some(&mut out, labels.class.as_ref(), |out, class| {
        put_number(out, class.len());
        class.iter().for_each(|share| out.extend(share.to_le_bytes()));
        Ok(())
    })?;
    put_some(&mut out, labels.objects.as_ref(), |out, objects| {
        put_number(out, objects.len());
        objects.iter().for_each(|object| put_object(out, object));
        Ok(())
    })?;
    put_some(&mut out, labels.segmentation.as_ref(), |out, plane| {
        put_plane(out, plane, |class| [class.to_le_bytes()])
    })?;
    let half = |value: f32| half::from_single(value).to_le_bytes();
    put_some(&mut out, labels.depth.as_ref(), |out, plane| put_plane(out, plane, |depth| [half(depth)]))?;
    put_some(&mut out, labels.normals.as_ref(), |out, plane| {
        put_plane(out, plane, |normal| normal.map(half))
    })?;
    Ok(out)
}

fn put_number(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u32).to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len());
    out.extend(bytes);
}

/// Whether it is there, then what it is.
fn put_some<T>(
    out: &mut Vec<u8>,
    value: Option<&T>,
    put: impl FnOnce(&mut Vec<u8>, &T) -> std::io::Result<()>,
) -> std::io::Result<()> {
    out.push(u8::from(value.is_some()));
    value.map_or(Ok(()), |value| put(out, value))
}

fn put_object(out: &mut Vec<u8>, object: &Object) {
    let Bounds { left, top, width, height } = object.bounds;
    [left, top, width, height].iter().for_each(|edge| out.extend(edge.to_le_bytes()));
    out.extend(object.class.to_le_bytes());
    out.extend(object.score.unwrap_or(f32::NAN).to_le_bytes());
    out.extend(object.area.unwrap_or(f64::NAN).to_le_bytes());
    out.push(u8::from(object.crowd) + 2 * u8::from(object.difficult) + 4 * u8::from(object.mask.is_some()));
    if let Some(mask) = &object.mask {
        put_number(out, mask.size().0);
        put_number(out, mask.size().1);
        put_number(out, mask.runs().len());
        mask.runs().iter().for_each(|run| out.extend(run.to_le_bytes()));
    }
}

/// All first bytes, then all second ones, so that they deflate well.
fn put_plane<T: crate::data::Pixel, const N: usize>(
    out: &mut Vec<u8>,
    plane: &Plane<T>,
    bytes: impl Fn(T) -> [[u8; 2]; N],
) -> std::io::Result<()> {
    put_number(out, plane.width());
    put_number(out, plane.height());
    let numbers: Vec<[[u8; 2]; N]> = plane.values().iter().map(|&value| bytes(value)).collect();
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
    for (part, byte) in (0..N).flat_map(|part| [(part, 0), (part, 1)]) {
        let lane: Vec<u8> = numbers.iter().map(|number| number[part][byte]).collect();
        deflated.write_all(&lane)?;
    }
    put_bytes(out, &deflated.finish()?);
    Ok(())
}

/// The name at the beginning of a record.
pub(super) fn name(bytes: &[u8]) -> Option<String> {
    Bytes(bytes).text()
}

/// The name and the labels; `None` where the bytes are no record.
pub(super) fn decode(bytes: &[u8]) -> Option<(String, PseudoLabels)> {
    let mut bytes = Bytes(bytes);
    let name = bytes.text()?;
    let class = bytes.some(|bytes| {
        let count = bytes.number()?;
        (0..count).map(|_| bytes.array().map(f32::from_le_bytes)).collect()
    })?;
    let objects = bytes.some(|bytes| {
        let count = bytes.number()?;
        (0..count).map(|_| bytes.object()).collect()
    })?;
    let half = |bytes: [u8; 2]| half::to_single(u16::from_le_bytes(bytes));
    let segmentation = bytes.some(|bytes| bytes.plane(|[class]: [[u8; 2]; 1]| u16::from_le_bytes(class)))?;
    let depth = bytes.some(|bytes| bytes.plane(|[depth]: [[u8; 2]; 1]| half(depth)))?;
    let normals = bytes.some(|bytes| bytes.plane(|normal: [[u8; 2]; 3]| normal.map(half)))?;
    bytes.0.is_empty().then_some((name, PseudoLabels { class, objects, segmentation, depth, normals }))
}

/// What is left to read. Every step says `None` where there is not enough of it.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.number()?;
        self.take(count)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    /// `None` outside where the bytes end or are none of ours, `None` inside where it is absent.
    fn some<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.array()? {
            [0] => Some(None),
            [1] => read(self).map(Some),
            _ => None,
        }
    }

    fn object(&mut self) -> Option<Object> {
        let mut edge = || self.array().map(f64::from_le_bytes);
        let bounds = Bounds { left: edge()?, top: edge()?, width: edge()?, height: edge()? };
        let class = u16::from_le_bytes(self.array()?);
        let score = Some(f32::from_le_bytes(self.array()?)).filter(|score| !score.is_nan());
        let area = Some(f64::from_le_bytes(self.array()?)).filter(|area| !area.is_nan());
        let [flags] = self.array()?;
        let mask = if flags & 4 != 0 { Some(self.mask()?) } else { None };
        Some(Object { bounds, class, crowd: flags & 1 != 0, difficult: flags & 2 != 0, mask, area, score })
    }

    fn mask(&mut self) -> Option<Mask> {
        let (width, height, count) = (self.number()?, self.number()?, self.number()?);
        let runs: Option<Vec<u32>> = (0..count).map(|_| self.array().map(u32::from_le_bytes)).collect();
        Mask::from_runs(width, height, runs?).ok()
    }

    fn plane<T: crate::data::Pixel, const N: usize>(
        &mut self,
        value: impl Fn([[u8; 2]; N]) -> T,
    ) -> Option<Plane<T>> {
        let (width, height) = (self.number()?, self.number()?);
        let pixels = width.checked_mul(height)?;
        let (deflated, mut lanes) = (self.bytes()?, Vec::new());
        let expected = pixels.checked_mul(2 * N)?;
        DeflateDecoder::new(deflated).take(expected as u64 + 1).read_to_end(&mut lanes).ok()?;
        let lane = |part: usize, byte: usize, pixel: usize| lanes[(2 * part + byte) * pixels + pixel];
        (lanes.len() == expected).then(|| {
            let numbers = (0..pixels)
                .map(|pixel| std::array::from_fn(|part| [lane(part, 0, pixel), lane(part, 1, pixel)]));
            Plane::new(width, height, numbers.map(value).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{IGNORE, Scenes};

    fn labels() -> PseudoLabels {
        let sample = Scenes { width: 20, height: 12, ..Scenes::default() }.sample(2);
        let mut objects = sample.objects.unwrap();
        objects[0].score = Some(0.75);
        objects.push(Object { crowd: true, area: Some(2.5), ..Object::new(objects[0].bounds, 3) });
        let mut segmentation = sample.segmentation.unwrap();
        segmentation.set(1, 1, IGNORE);
        // What half floats hold exactly.
        let short = |value: f32| half::to_single(half::from_single(value));
        PseudoLabels {
            class: Some(vec![0.25, 0.125, 0.625]),
            objects: Some(objects),
            segmentation: Some(segmentation),
            depth: sample.depth.map(|plane| plane.map(short)),
            normals: sample.normals.map(|plane| plane.map(|normal| normal.map(short))),
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_absent_stays_absent() {
        for labels in
            [labels(), PseudoLabels::default(), PseudoLabels { objects: Some(vec![]), ..Default::default() }]
        {
            let bytes = encode("folder/ä", &labels).unwrap();
            assert_eq!(decode(&bytes), Some(("folder/ä".into(), labels)));
            assert_eq!(name(&bytes).as_deref(), Some("folder/ä"));
        }
    }

    #[test]
    fn other_bytes_are_no_record() {
        let bytes = encode("a", &labels()).unwrap();
        (0..bytes.len()).step_by(7).for_each(|end| assert_eq!(decode(&bytes[..end]), None, "cut at {end}"));
        assert_eq!(decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(decode(&[0xff; 40]), None);
    }
}
