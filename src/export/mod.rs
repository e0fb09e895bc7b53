//! Exporters: a found network as a file that another program opens.
//!
//! To add one: write `x.rs`, and add its `mod` line and its line in the table below.

mod diagram;
mod dot;
mod facts;
mod layout;
mod network;
mod onnx;
mod ron;
mod safetensors;
mod svg;
mod weights;

use std::io::Write;
use std::str::FromStr;

use ::ron::extensions::Extensions;

use crate::candidate::Candidate;
use crate::family::family;
use crate::ir::{Graph, Weights};
use crate::symbolic::Value;
use diagram::Diagram;
pub use dot::Dot;
use facts::facts;
pub use onnx::{Onnx, write_onnx};
pub use ron::Ron;
pub use safetensors::Safetensors;
pub use svg::Svg;

/// What is exported: a candidate with everything known about it.
///
/// ```
/// use cellwright::Candidate;
/// use cellwright::export::{Format, Model};
/// use cellwright::symbolic::{Value, from_value};
///
/// let text = "(task: (input: (1, 8, 8), classes: 10), architecture: Sequential([Conv(channels: Some(8))]))";
/// let program: Value = text.parse()?;
/// let candidate: Candidate = from_value(&program)?;
/// let model = Model {
///     name: "tiny",
///     candidate: &candidate,
///     program: &program,
///     graph: &candidate.graph()?,
///     weights: None,
///     classes: &[],
///     mean: &[],
///     deviation: &[],
///     accuracy: None,
///     genotype: None,
/// };
/// let mut drawing = Vec::new();
/// "svg".parse::<Format>()?.export(&model, &mut drawing)?;
/// assert!(String::from_utf8(drawing)?.contains("conv 3x3 to 8"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    /// What files and captions call it.
    pub name: &'a str,
    /// The typed program.
    pub candidate: &'a Candidate,
    /// The program as written.
    pub program: &'a Value,
    /// The network as primitives.
    pub graph: &'a Graph,
    /// The trained parameters; formats that hold none do without.
    pub weights: Option<&'a Weights>,
    /// The classes' names, by index.
    pub classes: &'a [String],
    /// Mean of each channel that pictures in [0, 1] are normalised with.
    pub mean: &'a [f32],
    /// Standard deviation of each channel that pictures in [0, 1] are normalised with.
    pub deviation: &'a [f32],
    /// Accuracy in [0, 1], where it was measured.
    pub accuracy: Option<f64>,
    /// The genotype's text, where the network came from a search.
    pub genotype: Option<&'a str>,
}

impl Model<'_> {
    /// The pictures of a drawing: every cell, then the network.
    fn diagrams(&self) -> Vec<Diagram> {
        let cells = self.candidate.architecture.cells();
        let cells = cells.iter().map(|(name, cell)| Diagram::of_cell(name, cell));
        cells.chain([Diagram::of_network(self.candidate, self.graph)]).collect()
    }

    /// The model's figures in one line, for people.
    fn caption(&self) -> String {
        let cost = self.graph.cost();
        let mut figures =
            vec![format!("{} params", short(cost.params)), format!("{} MACs", short(cost.macs))];
        figures.extend(self.accuracy.map(|accuracy| format!("{:.2}% accuracy", accuracy * 100.0)));
        figures.join(" · ")
    }
}

/// A count to three digits: `948`, `2.31 M`.
fn short(count: u64) -> String {
    let scaled = |unit: f64, name: &str| {
        let value = count as f64 / unit;
        let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        format!("{value:.digits$} {name}")
    };
    match count {
        0..1_000 => count.to_string(),
        1_000..999_500 => scaled(1e3, "k"),
        999_500..999_500_000 => scaled(1e6, "M"),
        _ => scaled(1e9, "G"),
    }
}

/// Why a model was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The format holds parameters and the model has none.
    #[error(
        "{format} holds trained weights, and `{name}` has none: train it with `cellwright retrain` first, \
         or export ron, dot or svg, which need no weights"
    )]
    NoWeights {
        /// The format asked for.
        format: &'static str,
        /// The model.
        name: String,
    },
    /// A parameter that the network needs is not among the weights.
    #[error(
        "the weights do not hold `{parameter}`: they are of another network; train this one with `cellwright retrain`"
    )]
    MissingParameter {
        /// Its name.
        parameter: String,
    },
    /// A parameter has another shape than the network's.
    #[error(
        "the weights hold `{parameter}` as {found:?} ({values} values), the network needs {expected:?}: they are of another \
         network; train this one with `cellwright retrain`"
    )]
    WrongShape {
        /// Its name.
        parameter: String,
        /// What the network needs.
        expected: Vec<usize>,
        /// What the weights hold.
        found: Vec<usize>,
        /// How many values the weights hold.
        values: usize,
    },
    /// A parameter is not a number: a diverged training's weights are of no use to anybody.
    #[error(
        "the weights hold {value} in `{parameter}`: the training diverged; train again with a lower learning rate"
    )]
    NotFinite {
        /// Its name.
        parameter: String,
        /// The value met.
        value: f32,
    },
    /// The format's own library refused.
    #[error("{format}: {problem}")]
    Format {
        /// The format asked for.
        format: &'static str,
        /// What the library says.
        problem: String,
    },
    /// The file cannot be written.
    #[error("cannot write the export: {0}; check the path and the free space")]
    Io(#[from] std::io::Error),
}

impl ExportError {
    /// 2 for what the user can mend, 1 for what failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            ExportError::Format { .. } | ExportError::Io(_) => 1,
            _ => 2,
        }
    }
}

/// Writes a model in one format.
pub trait Exporter {
    /// Writes the whole file.
    ///
    /// # Errors
    /// [`ExportError`]; nothing useful is then in `out`.
    fn export(&self, model: &Model, out: &mut dyn Write) -> Result<(), ExportError>;

    /// The file name's extension, without the dot.
    fn extension(&self) -> &'static str;

    /// Whether the format holds trained parameters.
    fn needs_weights(&self) -> bool {
        false
    }
}

family! {
    /// A format with its configuration.
    pub enum Format: Exporter {
        /// The whole program, to be read again.
        Ron(Ron) = "ron",
        /// A graph for Graphviz.
        Dot(Dot) = "dot",
        /// A drawing for people.
        Svg(Svg) = "svg",
        /// The network with trained weights, for ONNX runtimes.
        Onnx(Onnx) = "onnx",
        /// Trained weights by name.
        Safetensors(Safetensors) = "safetensors",
    }
}

/// A word that names no format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{word}`; there are {}", Format::LABELS.join(", "))]
pub struct UnknownFormat {
    word: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// The format of a label with all defaults, as the command line asks for it.
    fn from_str(word: &str) -> Result<Format, UnknownFormat> {
        let unknown = || UnknownFormat { word: word.to_string() };
        let place = Format::LABELS.iter().position(|label| *label == word).ok_or_else(unknown)?;
        let defaults = ::ron::Options::default().with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES);
        defaults.from_str(&format!("{}()", Format::NAMES[place])).map_err(|_| unknown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_answers_to_its_label() {
        for label in Format::LABELS {
            assert_eq!(label.parse::<Format>().map(|format| format.kind()), Ok(*label));
        }
    }

    #[test]
    fn figures_are_short() {
        let figures =
            [0, 948, 1_000, 45_649, 999_499, 999_500, 2_310_000, 99_960_000, 587_000_000, 4_100_000_000];
        insta::assert_snapshot!(figures.map(short).join(", "), @"0, 948, 1.00 k, 45.6 k, 999 k, 1.00 M, 2.31 M, 100 M, 587 M, 4.10 G");
    }

    #[test]
    fn an_unknown_format_is_told_what_there_is() {
        let error = "jpeg".parse::<Format>().expect_err("no such format");
        insta::assert_snapshot!(error, @"there is no format `jpeg`; there are ron, dot, svg, onnx, safetensors");
    }
}
