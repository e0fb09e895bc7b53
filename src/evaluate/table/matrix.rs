//! Rows known by an adjacency matrix with ops on its vertices, as in NAS-Bench-101 (<https://arxiv.org/abs/1902.09635>).

use indexmap::IndexMap;

use super::TableError;
use super::key::{Misfit, RowForm, labelled, slots};
use crate::evaluate::short;
use crate::space::{Decision, DecisionKind, Draw, Genotype, GenotypeError, Space};

/// What one slot of a decision says of the matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    /// Whether an edge leads from one vertex to another.
    Edge(usize, usize),
    /// The op of an inner vertex, counted from 0.
    Op(usize),
}

/// Reads matrices for a space whose decisions are all those of one matrix.
pub(super) struct Graphs {
    columns: [String; 2],
    words: IndexMap<String, String>,
    separator: String,
    /// What each slot of each decision says, by the decision's number.
    parts: Vec<Vec<Part>>,
    /// Vertices of the space's matrix.
    vertices: usize,
}

impl Graphs {
    pub fn new(
        space: &Space,
        columns: [String; 2],
        words: IndexMap<String, String>,
        separator: String,
    ) -> Result<Graphs, TableError> {
        let parts = space.decisions().iter().map(parts).collect::<Result<Vec<_>, _>>()?;
        let ends = parts.iter().flatten().filter_map(|part| match part {
            Part::Edge(_, to) => Some(to + 1),
            Part::Op(_) => None,
        });
        let vertices = ends.max().unwrap_or(0);
        let has = |part| parts.iter().flatten().filter(|other| **other == part).count() == 1;
        let edges = (0..vertices).flat_map(|from| (from + 1..vertices).map(move |to| Part::Edge(from, to)));
        let ops = (0..vertices.saturating_sub(2)).map(Part::Op);
        if vertices < 2 || !edges.chain(ops).all(has) {
            return Err(TableError::description(
                "the space leaves only a part of one matrix open, which rows of whole matrices cannot be told by",
                "open all entries above the diagonal and all ops of one `Matrix`, as in search_spaces/nasbench101.ron",
            ));
        }
        Ok(Graphs { columns, words, separator, parts, vertices })
    }

    /// The ops of a row, as the space calls them.
    fn ops<'a>(&'a self, cell: &'a str, vertices: usize) -> Result<Vec<&'a str>, Misfit> {
        let ops: Vec<&str> = match self.separator.as_str() {
            "" => cell.char_indices().map(|(at, letter)| &cell[at..at + letter.len_utf8()]).collect(),
            separator => cell.split(separator).map(str::trim).filter(|op| !op.is_empty()).collect(),
        };
        // Some tables name the input and the output, too.
        let inner = match ops.len() {
            all if all == vertices => &ops[1..vertices - 1],
            _ => &ops[..],
        };
        if inner.len() + 2 != vertices {
            let problem =
                format!("`{}` has {} ops for {} inner vertices", short(cell), ops.len(), vertices - 2);
            return Err(Misfit::Malformed(1, problem));
        }
        Ok(inner.iter().map(|op| self.words.get(*op).map_or(*op, String::as_str)).collect())
    }

    /// The vertex of a row that stands at a vertex of the space's matrix: the output last, what is missing before it.
    fn vertex(&self, at: usize, vertices: usize) -> Option<usize> {
        match at {
            last if last + 1 == self.vertices => Some(vertices - 1),
            inner => (inner + 1 < vertices).then_some(inner),
        }
    }

    fn slot(&self, decision: &Decision, part: Part, row: &Row) -> Result<u32, GenotypeError> {
        match part {
            Part::Edge(from, to) => {
                let ends = self.vertex(from, row.vertices).zip(self.vertex(to, row.vertices));
                let is_there = ends.is_some_and(|(from, to)| row.edges[from * row.vertices + to]);
                labelled(decision, if is_there { "1" } else { "0" })
            }
            // A vertex that leads nowhere holds whatever comes first.
            Part::Op(vertex) => row.ops.get(vertex).map_or(Ok(0), |op| labelled(decision, op)),
        }
    }
}

/// What a row says.
struct Row<'a> {
    vertices: usize,
    edges: Vec<bool>,
    ops: Vec<&'a str>,
}

impl RowForm for Graphs {
    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn is_canonical(&self) -> bool {
        true
    }

    fn genotype(&self, space: &Space, cells: &[&str]) -> Result<Genotype, Misfit> {
        let edges = edges(cells[0]).map_err(|problem| Misfit::Malformed(0, problem))?;
        let vertices = edges.len().isqrt();
        if vertices > self.vertices {
            let most = self.vertices;
            return Err(Misfit::Foreign(format!(
                "it has {vertices} vertices, of which the space has {most}"
            )));
        }
        let row = Row { vertices, edges, ops: self.ops(cells[1], vertices)? };
        let genotype = space.build(&mut |number| {
            let decision = &space.decisions()[number];
            let slot = |part: &Part| self.slot(decision, *part, &row);
            match decision.kind {
                DecisionKind::Many { .. } => {
                    self.parts[number].iter().map(slot).collect::<Result<_, _>>().map(Draw::Many)
                }
                _ => slot(&self.parts[number][0]).map(Draw::Choice),
            }
        });
        Ok(genotype?)
    }
}

/// Zeros and ones of a square matrix above its diagonal; brackets, commas and spaces mean nothing.
fn edges(cell: &str) -> Result<Vec<bool>, String> {
    let mut edges = Vec::with_capacity(cell.len());
    for letter in cell.chars().filter(|letter| !"[](),; \t".contains(*letter)) {
        match letter {
            '0' | '1' => edges.push(letter == '1'),
            _ => return Err(format!("`{letter}` of `{}` is neither 0 nor 1", short(cell))),
        }
    }
    let vertices = edges.len().isqrt();
    if vertices < 2 || vertices * vertices != edges.len() {
        return Err(format!("`{}` has {} entries, which make no square matrix", short(cell), edges.len()));
    }
    let below = (0..vertices).flat_map(|from| (0..=from).map(move |to| (from, to)));
    match below.into_iter().find(|(from, to)| edges[from * vertices + to]) {
        Some((from, to)) => {
            Err(format!("`{}` has an edge from vertex {from} back to vertex {to}", short(cell)))
        }
        None => Ok(edges),
    }
}

/// What the slots of a decision say of the matrix, by where the decision stands.
fn parts(decision: &Decision) -> Result<Vec<Part>, TableError> {
    let place = |word: &str| {
        let found = decision.id.rsplit_once(word);
        found.filter(|(before, _)| before.is_empty() || before.ends_with('.')).map(|(_, rest)| rest)
    };
    let numbers = |rest: &str| -> Option<Vec<usize>> {
        rest.split_terminator(']').map(|index| index.strip_prefix('[')?.parse().ok()).collect()
    };
    let edges = place("adjacency").and_then(numbers);
    let ops = place("ops").and_then(numbers);
    let all = 0..slots(&decision.kind);
    let parts = match (&decision.kind, edges.as_deref(), ops.as_deref()) {
        (DecisionKind::Many { .. }, Some([from]), _) => {
            all.map(|slot| Part::Edge(*from, from + 1 + slot)).collect()
        }
        (DecisionKind::Choice { .. }, Some([from, slot]), _) => vec![Part::Edge(*from, from + 1 + slot)],
        (DecisionKind::Many { .. }, _, Some([])) => all.map(Part::Op).collect(),
        (DecisionKind::Choice { .. }, _, Some([vertex])) => vec![Part::Op(*vertex)],
        _ => {
            return Err(TableError::description(
                format!("the decision `{}` is no part of a matrix, and so no row can tell it", decision.id),
                "leave it fixed, or name a column for each decision by `Values`",
            ));
        }
    };
    Ok(parts)
}
