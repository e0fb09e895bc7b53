//! The rows that are candidates of a space, with the figures that are asked for: what is kept of a table.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use csv::StringRecord;
use rayon::prelude::*;

use super::error::{Number, place};
use super::key::{Misfit, RowForm};
use super::read::Csv;
use super::{Table, TableError};
use crate::evaluate::short;
use crate::space::{Genotype, Key, Space};
use crate::trial::Fidelity;

/// Rows that are kept of a table, at most: with their genotypes some ten gigabytes.
const MOST_ROWS: usize = 40_000_000;

/// Candidates of a space that is only a table's rows, at most: with what moves from one to another need, some gigabytes.
const MOST_CANDIDATES: usize = 4_000_000;

/// All rows of a table that are candidates of a space.
pub(super) struct Sheet {
    pub path: PathBuf,
    /// All lines, those of one candidate together, candidates in the order of their first.
    lines: Vec<Line>,
    /// Where each candidate's lines start; then how many lines there are.
    starts: Vec<usize>,
    by_genotype: HashMap<Box<str>, u32>,
    by_key: HashMap<Key, u32>,
    /// The space, and the first row of each key: where rows are found by genotype, a candidate without one may be
    /// isomorphic to one that has. Made for the first such candidate, as it takes as much memory as all genotypes.
    space: Space,
    isomorphic: OnceLock<HashMap<Key, u32>>,
    /// The columns kept, in the order of a line's figures.
    columns: Vec<String>,
    /// The figures of all lines, one line after another; not a number where a cell is blank.
    figures: Vec<f64>,
    /// The fidelities of the lines, where a column tells them.
    pub levels: BTreeSet<Fidelity>,
}

/// One line of a candidate.
pub(super) struct Line {
    number: u64,
    /// Which candidate's it is.
    entry: u32,
    /// Its fidelity, where a column tells it.
    pub fidelity: Option<Fidelity>,
    /// Which of repeated measurements it is, where a column tells it.
    seed: Option<Box<str>>,
    /// Where its figures start.
    start: usize,
}

impl Line {
    /// What it measures: the candidate at the fidelity with the seed.
    fn what(&self) -> (u32, Option<Fidelity>, &Option<Box<str>>) {
        (self.entry, self.fidelity, &self.seed)
    }
}

/// A row as it is read.
struct Row {
    line: u64,
    genotype: Genotype,
    /// Where rows are found by key.
    key: Option<Key>,
    fidelity: Option<Fidelity>,
    seed: Option<Box<str>>,
    figures: Vec<f64>,
}

impl Sheet {
    /// Reads a table.
    ///
    /// # Errors
    /// Whatever is wrong with it, and that no row is a candidate.
    pub fn read(table: &Table, space: &Space, columns: Vec<String>) -> Result<Sheet, TableError> {
        let csv = Csv::open(&table.file, table.delimiter)?;
        let numbers = columns.iter().map(|column| csv.column(column)).collect::<Result<_, _>>()?;
        let reader = Reader::new(table, space, &csv, numbers)?;
        let mut sheet = Sheet {
            path: table.file.clone(),
            lines: Vec::new(),
            starts: Vec::new(),
            by_genotype: HashMap::new(),
            by_key: HashMap::new(),
            space: space.clone(),
            isomorphic: OnceLock::new(),
            columns,
            figures: Vec::new(),
            levels: BTreeSet::new(),
        };
        reader.each(csv, &mut |row| sheet.add(row))?;
        sheet.settle()?;
        Ok(sheet)
    }

    /// Takes in a row.
    fn add(&mut self, row: Row) -> Result<(), TableError> {
        if self.lines.len() == MOST_ROWS {
            return Err(too_many_rows(&self.path));
        }
        // As many as there are candidates, which are fewer than 2^32.
        let next = (self.by_key.len() + self.by_genotype.len()) as u32;
        let entry = match row.key {
            Some(key) => *self.by_key.entry(key).or_insert(next),
            None => *self.by_genotype.entry(row.genotype.to_string().into()).or_insert(next),
        };
        self.levels.extend(row.fidelity);
        let start = self.figures.len();
        self.lines.push(Line { number: row.line, entry, fidelity: row.fidelity, seed: row.seed, start });
        self.figures.extend(row.figures);
        Ok(())
    }

    /// Puts the lines of each candidate together.
    ///
    /// # Errors
    /// A row that repeats another and says something else.
    fn settle(&mut self) -> Result<(), TableError> {
        let mut lines = std::mem::take(&mut self.lines);
        // The sort is stable: of lines that repeat one another the first of the file stays the first.
        lines.par_sort_by(|a, b| a.what().cmp(&b.what()));
        let mut repeated = lines.windows(2).filter(|pair| pair[0].what() == pair[1].what());
        repeated.try_for_each(|pair| self.compare(&pair[0], &pair[1]))?;
        lines.dedup_by(|second, first| second.what() == first.what());
        lines.par_sort_by_key(|line| (line.entry, line.number));
        lines.shrink_to_fit();
        let entries = lines.last().map_or(0, |line| line.entry as usize + 1);
        self.starts =
            (0..=entries).map(|entry| lines.partition_point(|line| (line.entry as usize) < entry)).collect();
        self.lines = lines;
        Ok(())
    }

    /// A row that repeats another must say the same.
    fn compare(&self, first: &Line, second: &Line) -> Result<(), TableError> {
        let cells =
            (0..self.columns.len()).map(|column| (self.figure(first, column), self.figure(second, column)));
        let mut differ = cells.enumerate().filter(|(_, (a, b))| a != b && !(a.is_nan() && b.is_nan()));
        match differ.next() {
            None => Ok(()),
            Some((column, (a, b))) => Err(TableError::Disagreement {
                path: self.path.clone(),
                lines: [first.number, second.number],
                key: short(&self.name(first.entry)),
                column: self.columns[column].clone(),
                cells: [Number(a), Number(b)],
            }),
        }
    }
    /// The lines of a candidate.
    pub fn find(&self, genotype: &Genotype, key: &Key) -> Option<&[Line]> {
        let entry = match self.by_genotype.is_empty() {
            true => self.by_key.get(key),
            false => {
                let own = self.by_genotype.get(genotype.to_string().as_str());
                own.or_else(|| self.isomorphic.get_or_init(|| self.index()).get(key))
            }
        };
        entry.map(|entry| self.of(*entry))
    }

    /// Where a candidate's figures of a fidelity stand: `table.csv:12`.
    pub fn place(&self, lines: &[Line], level: Fidelity) -> String {
        let measured = lines.iter().find(|line| line.fidelity == Some(level)).or(lines.first());
        place(&self.path, measured.map(|line| line.number))
    }

    /// The lines of the candidate of a number.
    fn of(&self, entry: u32) -> &[Line] {
        &self.lines[self.starts[entry as usize]..self.starts[entry as usize + 1]]
    }

    /// What a candidate is called in messages.
    fn name(&self, entry: u32) -> String {
        let genotype =
            self.by_genotype.iter().find(|(_, other)| **other == entry).map(|(text, _)| text.to_string());
        let key = || self.by_key.iter().find(|(_, other)| **other == entry).map(|(key, _)| key.to_string());
        genotype.or_else(key).unwrap_or_default()
    }

    /// The first row of each key.
    fn index(&self) -> HashMap<Key, u32> {
        let key = |text: &str| self.space.key(&text.parse().ok()?).ok();
        let entries = self.by_genotype.par_iter();
        let mut keys: Vec<(u32, Key)> =
            entries.filter_map(|(text, entry)| Some((*entry, key(text)?))).collect();
        keys.sort_unstable_by_key(|(entry, _)| *entry);
        let mut first = HashMap::with_capacity(keys.len());
        for (entry, key) in keys {
            first.entry(key).or_insert(entry);
        }
        first
    }

    /// The lines of every candidate.
    pub fn entries(&self) -> impl Iterator<Item = &[Line]> {
        (0..self.starts.len() as u32 - 1).map(|entry| self.of(entry))
    }

    /// What a line says in one of the columns kept.
    pub fn figure(&self, line: &Line, column: usize) -> f64 {
        self.figures[line.start + column]
    }

    /// Whether a column, scaled, holds what something can have been measured to be: no infinities, and for a cost no
    /// negative numbers.
    ///
    /// # Errors
    /// The first cell that does not.
    pub fn check(&self, name: &str, scale: f64, is_cost: bool) -> Result<(), TableError> {
        let column = self.column(name);
        let cells = self.lines.iter().map(|line| (line, self.figure(line, column) * scale));
        let wrong = |figure: f64| figure.is_infinite() || (is_cost && figure < 0.0);
        let Some((line, figure)) = cells.into_iter().find(|(_, figure)| wrong(*figure)) else {
            return Ok(());
        };
        let problem = match is_cost {
            true => format!("a training cannot have taken {figure} seconds"),
            false => format!("{figure} is no measurement: what is infinitely good would be the best of all"),
        };
        Err(TableError::Cell {
            path: self.path.clone(),
            line: line.number,
            column: name.into(),
            problem,
            hint: "mend the cell, or leave it blank",
        })
    }

    /// The place of a column among those kept.
    pub fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|column| column == name).unwrap_or(0)
    }
}

/// The genotypes of a table's rows, in the table's order.
///
/// # Errors
/// Whatever is wrong with it, and that no row is a candidate, or that too many are.
pub(super) fn genotypes(table: &Table, space: &Space) -> Result<Vec<Genotype>, TableError> {
    genotypes_within(table, space, MOST_CANDIDATES)
}

/// The same, of at most so many candidates.
pub(super) fn genotypes_within(
    table: &Table,
    space: &Space,
    most: usize,
) -> Result<Vec<Genotype>, TableError> {
    let csv = Csv::open(&table.file, table.delimiter)?;
    let reader = Reader { needs_key: false, ..Reader::new(table, space, &csv, Vec::new())? };
    // A candidate has as many rows as it has fidelities and seeds.
    let (mut genotypes, mut met) = (Vec::new(), HashSet::new());
    reader.each(csv, &mut |row| {
        if met.insert(row.genotype.to_string()) {
            genotypes.push(row.genotype);
        }
        match genotypes.len() > most {
            true => Err(TableError::too_many(
                &table.file,
                "candidates",
                most,
                "leave out `only_rows`: candidates without a row are then failed trials",
            )),
            false => Ok(()),
        }
    })?;
    Ok(genotypes)
}

/// What is read of each row.
struct Reader<'a> {
    path: &'a Path,
    space: &'a Space,
    form: Box<dyn RowForm>,
    needs_key: bool,
    skips: bool,
    /// The numbers of columns: of those that identify the candidate, ..
    identity: Vec<usize>,
    /// .. of the fidelity and the seed, ..
    fidelity: Option<usize>,
    seed: Option<usize>,
    /// .. and of all figures.
    figures: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(
        table: &'a Table,
        space: &'a Space,
        csv: &Csv,
        figures: Vec<usize>,
    ) -> Result<Reader<'a>, TableError> {
        let form = table.key.form(space).map_err(|error| error.of("key"))?;
        let column = |name: &Option<String>| name.as_ref().map(|name| csv.column(name)).transpose();
        Ok(Reader {
            path: &table.file,
            space,
            needs_key: form.is_canonical(),
            skips: table.skip_rows,
            identity: form.columns().into_iter().map(|name| csv.column(name)).collect::<Result<_, _>>()?,
            form,
            fidelity: column(&table.fidelity)?,
            seed: column(&table.seed)?,
            figures,
        })
    }

    /// Hands over all rows that are candidates, in order; a batch is read side by side.
    fn each(
        &self,
        mut csv: Csv,
        take: &mut dyn FnMut(Row) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let header = csv.header().to_vec();
        let (mut taken, mut first) = (0, None);
        loop {
            let batch = csv.batch()?;
            if csv.promises_more_than(MOST_ROWS as u64) {
                return Err(too_many_rows(self.path));
            }
            if batch.is_empty() {
                break;
            }
            let rows: Vec<_> = batch.par_iter().map(|record| self.row(&header, record)).collect();
            for row in rows {
                match row? {
                    Ok(row) => {
                        taken += 1;
                        take(row)?;
                    }
                    Err(reason) => drop(first.get_or_insert(reason)),
                }
            }
        }
        match first {
            Some(first) if taken == 0 => {
                Err(TableError::NoRow { path: self.path.into(), rows: csv.rows(), first })
            }
            _ => Ok(()),
        }
    }

    /// A row; or, where such rows are left out, why it is none of the space's candidates.
    fn row(&self, header: &[String], record: &StringRecord) -> Result<Result<Row, String>, TableError> {
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let wrong = |column: usize, problem: String, hint| TableError::Cell {
            path: self.path.into(),
            line,
            column: header.get(column).cloned().unwrap_or_default(),
            problem,
            hint,
        };
        let cells: Vec<&str> = self.identity.iter().map(|column| cell(*column)).collect();
        let found = self.form.genotype(self.space, &cells).and_then(|genotype| self.identified(genotype));
        let (genotype, key) = match found {
            Ok(found) => found,
            Err(Misfit::Foreign(reason)) if self.skips => return Ok(Err(reason)),
            Err(Misfit::Foreign(reason)) => {
                let problem = format!("the row is no candidate of the space: {reason}");
                return Err(wrong(self.identity[0], problem, FOREIGN));
            }
            Err(Misfit::Malformed(column, problem)) => {
                return Err(wrong(self.identity[column], problem, "mend the cell, or the table's `key`"));
            }
        };
        let number = |column: usize| match cell(column) {
            "" => Ok(f64::NAN),
            text => text.parse().map_err(|_| {
                wrong(
                    column,
                    format!("`{}` is not a number", short(text)),
                    "mend the cell, or leave it blank",
                )
            }),
        };
        let fidelity = |column: usize| {
            let level = cell(column).parse().ok().filter(|level| *level > 0).map(Fidelity);
            let problem = || format!("`{}` is not a fidelity: a whole number from 1 on", short(cell(column)));
            level.ok_or_else(|| {
                wrong(column, problem(), "mend the cell, or name another column by `fidelity`")
            })
        };
        Ok(Ok(Row {
            line,
            genotype,
            key,
            fidelity: self.fidelity.map(fidelity).transpose()?,
            seed: self.seed.map(|column| cell(column).into()),
            figures: self.figures.iter().map(|column| number(*column)).collect::<Result<_, _>>()?,
        }))
    }

    /// A candidate with its key, where rows are found by it.
    fn identified(&self, genotype: Genotype) -> Result<(Genotype, Option<Key>), Misfit> {
        if !self.space.constraints().is_empty() && !self.space.admits(&genotype)? {
            return Err(Misfit::Foreign("it breaks a constraint".into()));
        }
        let key = self.needs_key.then(|| self.space.key(&genotype)).transpose()?;
        Ok((genotype, key))
    }
}

/// A table that would not fit into memory.
fn too_many_rows(path: &Path) -> TableError {
    TableError::too_many(path, "rows", MOST_ROWS, "keep fewer rows in the file")
}

/// What to do about a row that is none of the space's candidates.
const FOREIGN: &str = "check the table's `key`; `skip_rows: true` leaves out all rows of other spaces";
