//! `cellwright must show`.

use std::path::{Path, PathBuf};

use cellwright::data::{Classes, Sample, SampleSource, Samples};
use cellwright::must::draw::{Layout, png};
use cellwright::must::store::Store;
use cellwright::must::{THRESHOLD, check_threshold, left_out, teacher};
use clap::Args;

use super::{Place, at_least_one, out};

/// Writes a PNG file: each picture with its boxes, then its classes of pixels, its depth and its normals.
#[derive(Args, Debug)]
pub struct Show {
    /// A source of samples, such as `Scenes(count: 12)`, or a folder of pseudo labels.
    what: String,
    /// Draw what this teacher or student says of the pictures, in place of their own labels.
    #[arg(long, value_name = "PATH")]
    by: Option<PathBuf>,
    /// Objects and pixels with a lower score are left out of what `--by` says.
    #[arg(long, default_value_t = THRESHOLD, value_name = "SCORE")]
    threshold: f32,
    /// The file to write.
    #[arg(long, default_value = "samples.png", value_name = "FILE")]
    out: PathBuf,
    /// How many pictures to draw.
    #[arg(long, default_value = "8", value_name = "NUMBER", value_parser = at_least_one::<usize>)]
    count: usize,
    /// Pictures left out before the first.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    skip: usize,
    /// Pictures beside one another.
    #[arg(long, default_value = "2", value_name = "NUMBER", value_parser = at_least_one::<usize>)]
    across: usize,
    /// Width of each picture on the sheet, in pixels.
    #[arg(long, default_value = "160", value_name = "PIXELS", value_parser = at_least_one::<usize>)]
    tile: usize,
    #[command(flatten)]
    place: Place,
}

impl Show {
    pub fn run(self) -> cellwright::Result<()> {
        check_threshold(self.threshold)?;
        let (set, told) = self.open()?;
        let indices = self.skip..set.len().min(self.skip.saturating_add(self.count));
        if indices.is_empty() {
            return Err(cellwright::Error::Usage {
                problem: format!("--skip {} leaves none of {} pictures", self.skip, set.len()),
                hint: "skip fewer".into(),
            });
        }
        let mut samples = indices.map(|index| set.sample(index)).collect::<Result<Vec<Sample>, _>>()?;
        let mut classes = set.classes().clone();
        if let Some(path) = &self.by {
            (samples, classes) = self.said(path, samples)?;
        }
        let sheet = Layout { tile: self.tile, across: self.across }.sheet(&samples, &classes);
        let written = png(&sheet).and_then(|bytes| std::fs::write(&self.out, bytes));
        let path = self.out.display().to_string();
        written.map_err(|source| cellwright::Error::Io { path: path.clone(), source })?;
        out::print(format!("{told}wrote {path}: {} of {} pictures\n", samples.len(), set.len()))
    }

    /// The pictures with what a network says of them, and its classes.
    fn said(&self, path: &Path, samples: Vec<Sample>) -> cellwright::Result<(Vec<Sample>, Classes)> {
        let teacher = teacher::open(path)?;
        let pictures: Vec<_> = samples.iter().map(|sample| sample.picture.clone()).collect();
        let said = teacher.label(&pictures, self.place.find()?)?;
        let drawn = samples.into_iter().zip(said).map(|(sample, said)| {
            let bare = Sample { camera: sample.camera, ..Sample::unlabelled(sample.name, sample.picture) };
            let mut labels = said.pseudo_labels(self.threshold);
            labels.objects.iter_mut().for_each(|objects| objects.retain(|object| !object.difficult));
            labels.onto(bare).map_err(|problem| cellwright::Error::Usage {
                problem,
                hint: "this is a mistake of the network's description".into(),
            })
        });
        Ok((drawn.collect::<cellwright::Result<_>>()?, teacher.classes().clone()))
    }

    /// The set, and what there is to tell of it.
    fn open(&self) -> cellwright::Result<(Box<dyn Samples>, String)> {
        if !Path::new(&self.what).is_dir() {
            let source = self.what.parse::<SampleSource>()?;
            let set = source.open()?;
            let told = left_out(&*set, &source.place()).map(|line| line + "\n");
            return Ok((set, told.unwrap_or_default()));
        }
        let store = Store::open(Path::new(&self.what))?;
        let header = store.header();
        let mut told = String::new();
        for teacher in &header.teachers {
            let labels: Vec<&str> = teacher.labels.iter().map(|label| label.name()).collect();
            told += &format!("{} by {} ({})\n", labels.join(", "), teacher.name, shortened(&teacher.hash));
        }
        told += &format!(
            "{} pictures labelled, objects and pixels from a score of {} (grey: ignored)\n",
            store.len(),
            header.threshold
        );
        let place = header.pictures.place();
        let set = store.into_pseudo_labels()?;
        told += &left_out(&set, &place).map(|line| line + "\n").unwrap_or_default();
        Ok((Box::new(set), told))
    }
}

/// The first of a hash's digits, which tell two files apart.
fn shortened(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
