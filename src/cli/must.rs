//! `cellwright must`.

use std::path::{Path, PathBuf};

use cellwright::data::{Sample, SampleSource, Samples};
use cellwright::must::draw::{Layout, png};
use cellwright::must::store::Store;
use clap::{Args, Subcommand};

use super::{at_least_one, out};

/// Multi-task self-training: its pictures and labels.
#[derive(Args, Debug)]
pub struct Must {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draw pictures with their labels, or with what teachers said of them.
    Show(Show),
}

/// Writes a PNG file: each picture with its boxes, then its classes of pixels, its depth and its normals.
#[derive(Args, Debug)]
struct Show {
    /// A source of samples, such as `Scenes(count: 12)`, or a folder of pseudo labels.
    what: String,
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
}

impl Must {
    pub fn run(self) -> cellwright::Result<()> {
        match self.command {
            Command::Show(command) => command.run(),
        }
    }
}

impl Show {
    fn run(self) -> cellwright::Result<()> {
        let (set, told) = self.open()?;
        let indices = self.skip..set.len().min(self.skip.saturating_add(self.count));
        if indices.is_empty() {
            return Err(cellwright::Error::Usage {
                problem: format!("--skip {} leaves none of {} pictures", self.skip, set.len()),
                hint: "skip fewer".into(),
            });
        }
        let samples = indices.map(|index| set.sample(index)).collect::<Result<Vec<Sample>, _>>()?;
        let sheet = Layout { tile: self.tile, across: self.across }.sheet(&samples, set.classes());
        let written = png(&sheet).and_then(|bytes| std::fs::write(&self.out, bytes));
        let path = self.out.display().to_string();
        written.map_err(|source| cellwright::Error::Io { path: path.clone(), source })?;
        out::print(format!("{told}wrote {path}: {} of {} pictures\n", samples.len(), set.len()))
    }

    /// The set, and what there is to tell of it.
    fn open(&self) -> cellwright::Result<(Box<dyn Samples>, String)> {
        if !Path::new(&self.what).is_dir() {
            return Ok((self.what.parse::<SampleSource>()?.open()?, String::new()));
        }
        let store = Store::open(Path::new(&self.what))?;
        let header = store.header();
        let mut told = String::new();
        for teacher in &header.teachers {
            let labels: Vec<&str> = teacher.labels.iter().map(|label| label.name()).collect();
            told += &format!("{} by {} ({})\n", labels.join(", "), teacher.name, shortened(&teacher.hash));
        }
        told += &format!(
            "{} pictures labelled, objects and pixels from a score of {}\n",
            store.len(),
            header.threshold
        );
        Ok((Box::new(store.into_pseudo_labels()?), told))
    }
}

/// The first of a hash's digits, which tell two files apart.
fn shortened(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
