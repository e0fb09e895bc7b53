//! Rows known by words: those of an architecture string, or the values of columns.

use indexmap::IndexMap;

use super::TableError;
use super::key::{Misfit, RowForm, draw, slots};
use crate::evaluate::short;
use crate::space::{Genotype, GenotypeError, Space};
use crate::symbolic::nearest;

/// Words in one column, for the decisions in order.
pub(super) struct Words {
    pub column: String,
    /// What the space calls them.
    pub words: IndexMap<String, String>,
    /// The characters between them.
    pub separators: String,
}

impl RowForm for Words {
    fn columns(&self) -> Vec<&str> {
        vec![&self.column]
    }

    fn genotype(&self, space: &Space, cells: &[&str]) -> Result<Genotype, Misfit> {
        let words = self.split(cells[0])?;
        let meant = |word: &&str| self.words.get(*word).map_or(*word, String::as_str).to_owned();
        let words: Vec<String> = words.iter().map(meant).collect();
        let mut left = words.iter().map(String::as_str);
        let genotype = space.build(&mut |number| draw(&space.decisions()[number], &mut left))?;
        match left.count() {
            0 => Ok(genotype),
            more => Err(Misfit::Foreign(format!(
                "`{}` has {} words, {more} more than the space's decisions take",
                short(cells[0]),
                words.len()
            ))),
        }
    }
}

impl Words {
    /// The words in the order of their edges: node by node, and into each node by the edge's source.
    fn split<'a>(&self, cell: &'a str) -> Result<Vec<&'a str>, Misfit> {
        let malformed = |word: &str| {
            Misfit::Malformed(
                0,
                format!("`{}` of `{}` does not end in the number of its source", short(word), short(cell)),
            )
        };
        let nodes: Vec<&str> = match self.separators.contains('+') {
            true => cell.split('+').collect(),
            false => vec![cell],
        };
        let mut words = Vec::new();
        for node in nodes {
            let edges = node.split(|letter| self.separators.contains(letter)).map(str::trim);
            let mut edges: Vec<(usize, &str)> = edges
                .filter(|word| !word.is_empty())
                .map(|word| match word.rsplit_once('~') {
                    None => Ok((0, word)),
                    Some((op, source)) => {
                        source.parse().map(|source| (source, op)).map_err(|_| malformed(word))
                    }
                })
                .collect::<Result<_, _>>()?;
            edges.sort_by_key(|(source, _)| *source);
            words.extend(edges.into_iter().map(|(_, word)| word));
        }
        Ok(words)
    }
}

/// A column for each decision.
pub(super) struct Cells {
    /// By the decision's number.
    columns: Vec<String>,
}

impl Cells {
    pub fn new(space: &Space, given: &IndexMap<String, String>) -> Result<Cells, TableError> {
        let mut used = 0;
        let mut columns = Vec::new();
        for decision in space.decisions() {
            let named = decision.name.as_ref().and_then(|name| given.get(name));
            let Some(column) = given.get(&decision.id).or(named) else {
                let problem = format!("`key` names no column for the decision `{}`", decision.id);
                let hint = format!("add it: `key: Values({{\"{}\": \"column\", ..}})`", decision.id);
                return Err(TableError::description(problem, hint));
            };
            used += 1;
            columns.push(column.clone());
        }
        let known = || {
            space.decisions().iter().flat_map(|one| [Some(one.id.as_str()), one.name.as_deref()]).flatten()
        };
        match given.keys().find(|name| !known().any(|known| known == *name)) {
            Some(name) => {
                let hint = match nearest(name, known()) {
                    Some(best) => format!("did you mean `{best}`?"),
                    None => "`cellwright show` prints the decisions".into(),
                };
                Err(TableError::description(format!("the space has no decision `{name}`"), hint))
            }
            None if used == 0 => {
                let problem = "nothing is open in the space, so that no column can tell candidates apart";
                Err(TableError::description(problem, "open something by a `OneOf`"))
            }
            None => Ok(Cells { columns }),
        }
    }
}

impl RowForm for Cells {
    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    fn genotype(&self, space: &Space, cells: &[&str]) -> Result<Genotype, Misfit> {
        let genotype = space.build(&mut |number| {
            let decision = &space.decisions()[number];
            let cell = cells[number];
            match slots(&decision.kind) {
                1 => draw(decision, std::iter::once(cell)),
                many => {
                    let words: Vec<&str> =
                        cell.split([',', ';', ' ']).filter(|word| !word.is_empty()).collect();
                    if words.len() != many {
                        let problem = format!("{}: `{}` is not a list of {many}", decision.id, short(cell));
                        return Err(GenotypeError(problem));
                    }
                    draw(decision, words.into_iter())
                }
            }
        });
        Ok(genotype?)
    }
}
