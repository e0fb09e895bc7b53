//! `cellwright data`.

use cellwright::data::{Label, SampleSource, Samples, Set, Source, Supply};
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
            Some(source) if is_of_samples(&source) => {
                out::print(holdings(&*source.parse::<SampleSource>()?.open()?)?)
            }
            Some(source) => out::print(summary(&parse(&source)?.open()?)),
        }
    }
}

fn layouts() -> String {
    let layout = |(name, layout): &(&str, &str)| format!("{name}\n    {}\n", layout.replace('\n', "\n    "));
    let pictures = Source::LAYOUTS.iter().map(layout).collect::<Vec<_>>().join("\n");
    let samples = SampleSource::LAYOUTS.iter().map(layout).collect::<Vec<_>>().join("\n");
    format!(
        "Pictures with a class each, for classification:\n\n{pictures}\nSamples with any subset of labels, for multi-task self-training:\n\n{samples}"
    )
}

/// Whether the word before the parenthesis names a source of samples.
fn is_of_samples(source: &str) -> bool {
    let word = |text: &str| text.split('(').next().unwrap_or_default().trim().to_owned();
    SampleSource::LAYOUTS.iter().any(|(layout, _)| word(layout) == word(source))
}

/// Reads every sample and counts its labels.
fn holdings(set: &dyn Samples) -> cellwright::Result<String> {
    let mut counts = [0usize; Label::ALL.len()];
    let mut objects = 0;
    for index in 0..set.len() {
        let sample = set.sample(index)?;
        for (count, label) in counts.iter_mut().zip(Label::ALL) {
            *count += usize::from(sample.has(label));
        }
        objects += sample.objects.as_ref().map_or(0, Vec::len);
    }
    let classes = set.classes();
    let mut rows = vec![["label", "samples", "classes"].map(String::from).to_vec()];
    for (label, count) in Label::ALL.into_iter().zip(counts) {
        let names = match label {
            Label::Class => classes.pictures.len(),
            Label::Objects => classes.objects.len(),
            Label::Segmentation => classes.segmentation.len(),
            Label::Depth | Label::Normals => 0,
        };
        let names = if names > 0 { names.to_string() } else { "-".into() };
        rows.push(vec![label.name().into(), count.to_string(), names]);
    }
    let left_out = set.left_out();
    let told =
        left_out.iter().take(5).map(|(name, why)| format!("left out {name}: {why}\n")).collect::<String>();
    let more = if left_out.len() > 5 {
        format!("and {} more left out\n", left_out.len() - 5)
    } else {
        String::new()
    };
    Ok(format!("{} samples, {objects} objects\n\n{}{told}{more}", set.len(), text::columns(&rows)))
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
