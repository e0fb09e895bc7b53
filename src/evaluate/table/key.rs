//! What identifies a row's candidate: which columns, and how their text becomes a genotype of the space.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::digits::Indices;
use super::matrix::Graphs;
use super::text::{Cells, Words};
use super::{Columns, TableError};
use crate::evaluate::short;
use crate::space::{Decision, DecisionKind, Draw, Genotype, GenotypeError, Space};
use crate::symbolic::nearest;

/// Which columns identify a candidate, and how.
///
/// ```
/// use cellwright::evaluate::RowKey;
///
/// let text = r#"Text(column: "arch", words: {"none": "Zero", "skip_connect": "SkipConnect"})"#;
/// assert!(matches!(ron::from_str(text)?, RowKey::Text { .. }));
/// # Ok::<(), ron::error::SpannedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RowKey {
    /// A digit for each decision of the space, in order: the number of its candidate, from 0. Several columns are read
    /// one after another.
    Digits(Columns),
    /// The same with numbers of any length: one in each of several columns, or several in one, with something between.
    Numbers {
        /// The columns, in order.
        columns: Columns,
        /// What stands between the numbers of one cell.
        #[serde(default = "comma")]
        separator: String,
    },
    /// Words for the decisions in order, such as NAS-Bench-201's `|conv~0|+|conv~0|skip~1|`: what follows a `~` is the
    /// edge's source, by which the words between two `+` are put in order.
    Text {
        /// The column.
        column: String,
        /// What the space calls the table's words: `"nor_conv_3x3": "ReluConvBn(kernel: 3)"`. Words that are the same
        /// in both, and numbers, may be left out.
        #[serde(default)]
        words: IndexMap<String, String>,
        /// The characters between words.
        #[serde(default = "edges")]
        separators: String,
    },
    /// A column for each decision, by the decision's name or place: `"learning_rate": "lr"`. Its cells are the
    /// candidates as `cellwright show` prints them, or numbers.
    Values(IndexMap<String, String>),
    /// An adjacency matrix, row by row, with the ops of the inner vertices, as in NAS-Bench-101. Rows are found by
    /// canonical key, so that isomorphic cells have the same row; smaller matrices than the space's are filled up with
    /// vertices that lead nowhere.
    Matrix {
        /// The column of zeros and ones.
        adjacency: String,
        /// The column of ops.
        ops: String,
        /// What the space calls the table's ops: `"0": "ConvBnRelu(kernel: 3)"`.
        #[serde(default)]
        words: IndexMap<String, String>,
        /// What stands between ops; nothing where each is a single character.
        #[serde(default)]
        separator: String,
    },
}

fn comma() -> String {
    ",".into()
}
fn edges() -> String {
    "|+".into()
}

/// Why a row has no genotype.
pub(super) enum Misfit {
    /// The cell of one of the columns is not written as it should be: a mistake in the table.
    Malformed(usize, String),
    /// The candidate is none of the space's.
    Foreign(String),
}

impl From<GenotypeError> for Misfit {
    fn from(error: GenotypeError) -> Misfit {
        Misfit::Foreign(error.0)
    }
}

/// Reads genotypes of one space from rows.
pub(super) trait RowForm: Send + Sync {
    /// The columns it reads.
    fn columns(&self) -> Vec<&str>;
    /// The genotype of a row, from its cells in the order of the columns.
    fn genotype(&self, space: &Space, cells: &[&str]) -> Result<Genotype, Misfit>;
    /// Whether isomorphic candidates have one row: otherwise a row is that of its very genotype.
    fn is_canonical(&self) -> bool {
        false
    }
}

impl RowKey {
    /// The reader of rows for a space.
    ///
    /// # Errors
    /// Where the space's decisions cannot be told from such columns.
    pub(super) fn form(&self, space: &Space) -> Result<Box<dyn RowForm>, TableError> {
        Ok(match self {
            RowKey::Digits(columns) => Box::new(Indices::new(space, columns, None)?),
            RowKey::Numbers { columns, separator } => {
                Box::new(Indices::new(space, columns, Some(separator))?)
            }
            RowKey::Text { column, words, separators } => {
                check_words(space, words)?;
                Box::new(Words {
                    column: column.clone(),
                    words: words.clone(),
                    separators: separators.clone(),
                })
            }
            RowKey::Values(columns) => Box::new(Cells::new(space, columns)?),
            RowKey::Matrix { adjacency, ops, words, separator } => {
                check_words(space, words)?;
                let columns = [adjacency.clone(), ops.clone()];
                Box::new(Graphs::new(space, columns, words.clone(), separator.clone())?)
            }
        })
    }
}

/// Whether the space has all that the words stand for.
fn check_words(space: &Space, words: &IndexMap<String, String>) -> Result<(), TableError> {
    let labels = || space.decisions().iter().flat_map(|decision| &decision.labels).map(String::as_str);
    match words.values().find(|word| !labels().any(|label| is_label(label, word))) {
        None => Ok(()),
        Some(word) => {
            let hint = match nearest(word, labels()) {
                Some(best) => format!("did you mean `{best}`?"),
                None => "`cellwright show` prints the candidates of each decision".into(),
            };
            Err(TableError::description(format!("no decision of the space has the candidate `{word}`"), hint))
        }
    }
}

/// How many indices or words a decision takes.
pub(super) fn slots(kind: &DecisionKind) -> usize {
    match kind {
        DecisionKind::Many { k, .. } => *k as usize,
        DecisionKind::Choice { .. } | DecisionKind::Int { .. } | DecisionKind::Float { .. } => 1,
    }
}

/// What a decision holds by words, one for each of its slots.
pub(super) fn draw<'a>(
    decision: &Decision,
    mut words: impl Iterator<Item = &'a str>,
) -> Result<Draw, GenotypeError> {
    let mut next = || {
        let missing = || GenotypeError(format!("{}: its word is missing", decision.id));
        words.next().ok_or_else(missing)
    };
    let number =
        |word: &str| GenotypeError(format!("{}: `{}` is no number of its kind", decision.id, short(word)));
    match decision.kind {
        DecisionKind::Choice { .. } => labelled(decision, next()?).map(Draw::Choice),
        DecisionKind::Many { k, .. } => {
            (0..k).map(|_| labelled(decision, next()?)).collect::<Result<_, _>>().map(Draw::Many)
        }
        DecisionKind::Int { .. } => {
            next().and_then(|word| word.parse().map(Draw::Int).map_err(|_| number(word)))
        }
        DecisionKind::Float { .. } => {
            next().and_then(|word| word.parse().map(Draw::Float).map_err(|_| number(word)))
        }
    }
}

/// The number of the candidate that a word stands for.
pub(super) fn labelled(decision: &Decision, word: &str) -> Result<u32, GenotypeError> {
    let index = decision.labels.iter().position(|label| is_label(label, word));
    index.map(|index| index as u32).ok_or_else(|| {
        let labels = decision.labels.join(", ");
        GenotypeError(format!("{}: `{}` is none of its candidates: {labels}", decision.id, short(word)))
    })
}

/// Whether a word is a candidate's label: as it is written, without its quotes, or as an equal number.
fn is_label(label: &str, word: &str) -> bool {
    let equal = |a: f64, b: f64| a == b;
    label == word
        || label.strip_prefix('"').and_then(|label| label.strip_suffix('"')) == Some(word)
        || matches!((label.parse(), word.parse()), (Ok(a), Ok(b)) if equal(a, b))
}
