//! `cellwright must label`.

use std::path::PathBuf;

use cellwright::data::SampleSource;
use cellwright::must::{Labelling, THRESHOLD, teacher};
use clap::Args;

use super::{Place, Voice};
use crate::cli::{out, text};

/// Lets teachers label pictures. Objects and pixels below the threshold are ignored by students (objects below half of it are
/// left out); classes stay soft, depth and normals whole. The same command goes on where it was stopped.
///
/// A teacher is a folder that `must teach` or `must train` wrote, or a RON file that says how somebody else's ONNX file is
/// read: `Foreign(name: "depth", file: "depth.onnx", input: (size: (256, 256)), outputs: [Depth(output: 0)])`.
#[derive(Args, Debug)]
pub struct Label {
    /// The pictures: a source of samples, such as `Pictures(folder: "photos")`.
    pictures: String,
    /// A teacher; no two label the same.
    #[arg(long, required = true, value_name = "PATH")]
    teacher: Vec<PathBuf>,
    /// The folder to write.
    #[arg(long, default_value = "labels", value_name = "FOLDER")]
    out: PathBuf,
    /// Objects and pixels with a lower score are ignored.
    #[arg(long, default_value_t = THRESHOLD, value_name = "SCORE")]
    threshold: f32,
    #[command(flatten)]
    place: Place,
}

impl Label {
    pub fn run(self) -> cellwright::Result<()> {
        let device = self.place.find()?;
        let pictures: SampleSource = self.pictures.parse()?;
        let teachers = self.teacher.iter().map(|path| teacher::open(path)).collect::<Result<Vec<_>, _>>()?;
        let labelling = Labelling {
            teachers: &teachers,
            pictures: &pictures,
            threshold: self.threshold,
            folder: &self.out,
            device,
        };
        let mut voice = Voice::new();
        let labelled = labelling.run(&mut |news| voice.hear(news));
        voice.finish();
        let labelled = text::plural(labelled? as u64, "picture");
        out::print(format!("labelled {labelled}, in {}\n", self.out.display()))
    }
}
