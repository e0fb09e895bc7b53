//! Depth in 16-bit PNG files, as RGB-D cameras write it, and normals: derived from the depth, or from PNG files of their own.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::raw::Raw;
use super::{Keys, Reader};
use crate::data::sample::{Camera, Label, NormalFit, Plane, Sample};
use crate::data::{DataError, Place};

/// Where the camera's intrinsics are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Intrinsics {
    /// A text file with the 3x3 matrix `fx 0 cx / 0 fy cy / 0 0 1`.
    File(PathBuf),
    /// The numbers themselves.
    Known(Camera),
}

impl Intrinsics {
    fn camera(&self) -> Result<Camera, DataError> {
        let camera = match self {
            Intrinsics::Known(camera) => *camera,
            Intrinsics::File(path) => read(path)?,
        };
        let numbers = [camera.focal.0, camera.focal.1, camera.centre.0, camera.centre.1];
        if numbers.iter().all(|number| number.is_finite()) && camera.focal.0 > 0.0 && camera.focal.1 > 0.0 {
            return Ok(camera);
        }
        let path = if let Intrinsics::File(path) = self { path.clone() } else { "camera".into() };
        let problem =
            format!("focal lengths {:?} and centre {:?} are no camera", camera.focal, camera.centre);
        Err(DataError::label(path, Place::Whole, problem, "focal lengths are above 0, in pixels"))
    }
}

fn read(path: &Path) -> Result<Camera, DataError> {
    const HINT: &str = "three lines of three numbers are needed: `fx 0 cx`, `0 fy cy`, `0 0 1`";
    let text = std::fs::read_to_string(path).map_err(DataError::unreadable(path))?;
    let mut matrix = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in line.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            matrix.push(word.parse::<f64>().map_err(|_| {
                DataError::label(path, Place::Line(index + 1), format!("`{word}` is no number"), HINT)
            })?);
        }
    }
    match matrix[..] {
        [fx, _, cx, _, fy, cy, 0.0, 0.0, 1.0] => Ok(Camera { focal: (fx, fy), centre: (cx, cy) }),
        _ => {
            let problem = format!("{} numbers that are no camera matrix", matrix.len());
            Err(DataError::label(path, Place::Whole, problem, HINT))
        }
    }
}

pub(super) struct Depth {
    folder: PathBuf,
    suffix: String,
    metres_per_unit: f64,
    holes: Vec<u16>,
    camera: Option<Camera>,
    /// How normals are derived, where they are.
    normals: Option<NormalFit>,
}

impl Depth {
    #[allow(clippy::too_many_arguments)]
    pub fn open(
        folder: &Path,
        suffix: &str,
        metres_per_unit: f64,
        holes: &[u16],
        camera: Option<&Intrinsics>,
        normals: Option<NormalFit>,
        keys: &Keys,
    ) -> Result<Depth, DataError> {
        super::beside(folder, suffix.trim_start_matches('.'), keys.names())?;
        if !(metres_per_unit.is_finite() && metres_per_unit > 0.0) {
            let missing = format!("`metres_per_unit` is {metres_per_unit}; it is above 0, such as 0.001");
            return Err(DataError::Layout { path: folder.into(), missing });
        }
        let camera = camera.map(Intrinsics::camera).transpose()?;
        if camera.is_none() && normals.is_some() {
            let problem =
                "normals are derived from depth, which takes the camera's intrinsics, and there are none";
            let hint = "give `camera: Some(File(\"intrinsics.txt\"))`, or `normals: None`";
            return Err(DataError::label(folder, Place::Whole, problem, hint));
        }
        let (folder, suffix, holes) = (folder.into(), suffix.into(), holes.to_vec());
        Ok(Depth { folder, suffix, metres_per_unit, holes, camera, normals })
    }
}

impl Reader for Depth {
    fn gives(&self) -> Vec<Label> {
        match self.normals {
            Some(_) => vec![Label::Depth, Label::Normals],
            None => vec![Label::Depth],
        }
    }

    /// A picture without a file has no depth: nothing is known of it.
    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        sample.camera = self.camera;
        let path = self.folder.join(format!("{key}{}", self.suffix));
        if !path.exists() {
            return Ok(());
        }
        let raw = Raw::read(&path)?;
        raw.check_size(&path, &sample.picture)?;
        if raw.bits != 16 {
            let problem = format!("{} bits a pixel; depth has 16", raw.bits);
            return Err(DataError::label(
                path,
                Place::Whole,
                problem,
                "write the depth as 16-bit grey, not as a picture of it",
            ));
        }
        let raw = raw.single(&path, "depth has one number a pixel")?;
        let metres = |value: u16| match self.holes.contains(&value) {
            true => f32::NAN,
            false => (f64::from(value) * self.metres_per_unit) as f32,
        };
        let depth = raw.map(metres);
        if depth.values().iter().all(|depth| depth.is_nan()) {
            let problem = format!("all {} pixels are holes ({:?})", depth.values().len(), self.holes);
            return Err(DataError::label(
                path,
                Place::Whole,
                problem,
                "remove the file, and the picture has no depth",
            ));
        }
        if let (Some(fit), Some(camera)) = (&self.normals, &self.camera) {
            sample.normals = Some(fit.normals(&depth, camera));
        }
        sample.depth = Some(depth);
        Ok(())
    }
}

/// Normals as colours: 0 to the largest value stand for -1 to 1.
pub(super) struct Normals {
    folder: PathBuf,
    suffix: String,
    signs: [i8; 3],
}

impl Normals {
    pub fn open(folder: &Path, suffix: &str, signs: [i8; 3], keys: &Keys) -> Result<Normals, DataError> {
        super::beside(folder, suffix.trim_start_matches('.'), keys.names())?;
        if signs.iter().any(|sign| sign.abs() != 1) {
            let missing = format!("`signs` are {signs:?}; each is 1 or -1");
            return Err(DataError::Layout { path: folder.into(), missing });
        }
        Ok(Normals { folder: folder.into(), suffix: suffix.into(), signs })
    }
}

impl Reader for Normals {
    fn gives(&self) -> Vec<Label> {
        vec![Label::Normals]
    }

    /// A picture without a file has no normals: nothing is known of them.
    fn label(&self, key: &str, sample: &mut Sample) -> Result<(), DataError> {
        let path = self.folder.join(format!("{key}{}", self.suffix));
        if !path.exists() {
            return Ok(());
        }
        let raw = Raw::read(&path)?;
        raw.check_size(&path, &sample.picture)?;
        if raw.channels != 3 || raw.bits < 8 {
            let problem = format!("a PNG of {} channels of {} bits", raw.channels, raw.bits);
            return Err(DataError::label(
                path,
                Place::Whole,
                problem,
                "normals are colours of 8 or 16 bits: x, y and z",
            ));
        }
        let most = ((1u32 << raw.bits) - 1) as f32;
        let normal = |colour: &[u16]| {
            let part =
                |axis: usize| f32::from(self.signs[axis]) * (2.0 * f32::from(colour[axis]) / most - 1.0);
            let normal = [part(0), part(1), part(2)];
            let length = normal.iter().map(|part| part * part).sum::<f32>().sqrt();
            let hole = colour.iter().all(|&level| level == 0) || length < 0.1;
            if hole { [f32::NAN; 3] } else { normal.map(|part| part / length) }
        };
        let normals = raw.values.chunks_exact(3).map(normal).collect();
        sample.normals = Some(Plane::new(raw.width, raw.height, normals));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;

    fn read(values: &[u16], camera: Option<&str>, normals: bool) -> Result<Sample, String> {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        image::save_buffer(folder.path().join("a.depth.png"), &bytes, 4, 3, image::ColorType::L16).unwrap();
        let file = folder.path().join("camera.txt");
        std::fs::write(&file, camera.unwrap_or_default()).unwrap();
        let camera = camera.map(|_| Intrinsics::File(file));
        let fit = normals.then(NormalFit::default);
        let keys = Keys::listed(folder.path(), &["a"], false);
        let read = Depth::open(folder.path(), ".depth.png", 0.001, &[0, 65535], camera.as_ref(), fit, &keys);
        let read = read.and_then(|depth| {
            let mut sample = Sample::unlabelled("a", Picture::filled(4, 3, [0; 3]));
            depth.label("a", &mut sample).map(|()| sample)
        });
        read.map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "DATA"))
    }

    const CAMERA: &str = "20.0 0 1.5\n0 20 1\n0 0 1\n";

    #[test]
    fn millimetres_become_metres_and_holes_stay_holes() {
        let values = [0, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 65535, 2000, 2000, 2000];
        let sample = read(&values, Some(CAMERA), true).unwrap();
        let (depth, normals) = (sample.depth.unwrap(), sample.normals.unwrap());
        for (pixel, value) in values.iter().enumerate() {
            let hole = [0, 65535].contains(value);
            assert_eq!(depth.values()[pixel].is_nan(), hole);
            assert_eq!(normals.values()[pixel][0].is_nan(), hole);
            assert!(hole || depth.values()[pixel] == 2.0 && normals.values()[pixel][2] < -0.9999);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let message = |values: &[u16], camera, normals| read(values, camera, normals).unwrap_err();
        insta::assert_snapshot!(message(&[0; 12], Some(CAMERA), true), @"
        DATA/a.depth.png: all 12 pixels are holes ([0, 65535])
          hint: remove the file, and the picture has no depth
        ");
        insta::assert_snapshot!(message(&[9; 12], None, true), @r#"
        DATA: normals are derived from depth, which takes the camera's intrinsics, and there are none
          hint: give `camera: Some(File("intrinsics.txt"))`, or `normals: None`
        "#);
        insta::assert_snapshot!(message(&[9; 12], Some("20 0\n0 f 1"), false), @"
        DATA/camera.txt: line 2: `f` is no number
          hint: three lines of three numbers are needed: `fx 0 cx`, `0 fy cy`, `0 0 1`
        ");
        insta::assert_snapshot!(message(&[9; 12], Some("20 0 1 2"), false), @"
        DATA/camera.txt: 4 numbers that are no camera matrix
          hint: three lines of three numbers are needed: `fx 0 cx`, `0 fy cy`, `0 0 1`
        ");
        insta::assert_snapshot!(message(&[9; 12], Some("-20 0 1\n0 20 1\n0 0 1"), false), @"
        DATA/camera.txt: focal lengths (-20.0, 20.0) and centre (1.0, 1.0) are no camera
          hint: focal lengths are above 0, in pixels
        ");
    }
}
