//! `cellwright data`.

use cellwright::data::{Set, Source, Supply};
use clap::Args;

use super::{out, text};

/// Without a source: every format with its layout. With one: reads it and says what is there.
#[derive(Args, Debug)]
pub struct Data {
    /// A source as a space file writes it, such as `Digits` or `Cifar10("cifar-10-batches-bin")`.
    source: Option<String>,
}

impl Data {
    pub fn run(self) -> cellwright::Result<()> {
        match self.source {
            None => out::print(layouts()),
            Some(source) => out::print(summary(&parse(&source)?.open()?)),
        }
    }
}

fn layouts() -> String {
    let layout = |(name, layout): &(&str, &str)| format!("{name}\n    {}\n", layout.replace('\n', "\n    "));
    Source::LAYOUTS.iter().map(layout).collect::<Vec<_>>().join("\n")
}

fn parse(source: &str) -> cellwright::Result<Source> {
    let extensions = ron::extensions::Extensions::IMPLICIT_SOME;
    let options = ron::Options::default().with_default_extension(extensions);
    options.from_str(source).map_err(|error| cellwright::Error::Usage {
        problem: format!("`{source}` is no data source: {}", error.code),
        hint: "write it as a space file does, such as `Digits` or `Cifar10(\"folder\")`; `cellwright data` lists all".into(),
    })
}

fn summary(data: &Set) -> String {
    let (channels, height, width) = data.shape();
    let mut rows = vec![["split", "pictures", "fewest a class", "most a class"].map(String::from).to_vec()];
    for (split, pictures) in ["train", "validation", "test"].into_iter().zip(data.splits()) {
        let counts = per_class(pictures, data.classes().len());
        let extremes =
            [counts.iter().min(), counts.iter().max()].map(|count| count.map_or(0, |count| *count));
        rows.push(vec![
            split.into(),
            pictures.len().to_string(),
            extremes[0].to_string(),
            extremes[1].to_string(),
        ]);
    }
    format!(
        "pictures of {channels}x{height}x{width} in {} classes: {}\nmean {:.4?}, deviation {:.4?} of the training pixels in [0, 1]\n\n{}",
        data.classes().len(),
        shortened(data.classes()),
        data.normal().0,
        data.normal().1,
        text::columns(&rows),
    )
}

fn per_class(pictures: Supply, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    pictures.labels().for_each(|label| counts[usize::from(label)] += 1);
    counts
}

fn shortened(classes: &[String]) -> String {
    let shown = classes[..classes.len().min(10)].join(", ");
    if classes.len() > 10 { format!("{shown}, ...") } else { shown }
}
