//! Rows known by the numbers of their candidates, decision by decision.

use super::key::{Misfit, RowForm, slots};
use super::{Columns, TableError};
use crate::evaluate::short;
use crate::space::{Decision, DecisionKind, Draw, Genotype, GenotypeError, Space};

/// Digits, or numbers with something between.
pub(super) struct Indices {
    columns: Vec<String>,
    separator: Option<String>,
    /// Where each decision's indices start in a row that has some for all decisions, active or not.
    starts: Vec<usize>,
    /// How many such a row has.
    length: usize,
}

impl Indices {
    pub fn new(space: &Space, columns: &Columns, separator: Option<&str>) -> Result<Indices, TableError> {
        let is_open = |decision: &&Decision| matches!(decision.kind, DecisionKind::Float { .. });
        if let Some(decision) = space.decisions().iter().find(is_open) {
            return Err(TableError::description(
                format!("{} is a `Float`, whose values have no numbers", decision.id),
                "list its values in a `OneOf`, or name a column for each decision by `Values`",
            ));
        }
        if columns.0.is_empty() || separator.is_some_and(str::is_empty) {
            return Err(TableError::description(
                "`key` names no column, or nothing to stand between numbers",
                "write `Digits(\"code\")`, or `Numbers(columns: \"code\", separator: \"-\")`",
            ));
        }
        let mut length = 0;
        let mut starts = Vec::with_capacity(space.decisions().len());
        for decision in space.decisions() {
            starts.push(length);
            length += slots(&decision.kind);
        }
        Ok(Indices { columns: columns.0.clone(), separator: separator.map(String::from), starts, length })
    }

    fn indices(&self, cells: &[&str]) -> Result<Vec<u32>, Misfit> {
        let mut indices = Vec::with_capacity(self.length);
        for (column, cell) in cells.iter().enumerate() {
            let malformed = |met: &str, what| {
                Misfit::Malformed(column, format!("`{}` of `{}` is no {what}", short(met), short(cell)))
            };
            match &self.separator {
                None => {
                    for letter in cell.chars() {
                        let digit = letter.to_digit(10);
                        indices.push(digit.ok_or_else(|| malformed(&letter.to_string(), "digit"))?);
                    }
                }
                Some(separator) => {
                    for word in cell.split(separator.as_str()) {
                        indices.push(word.trim().parse().map_err(|_| malformed(word, "whole number"))?);
                    }
                }
            }
        }
        Ok(indices)
    }
}

impl RowForm for Indices {
    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(String::as_str).collect()
    }

    /// A row either has indices for all decisions, those of inactive ones meaning nothing, or for the active ones only.
    fn genotype(&self, space: &Space, cells: &[&str]) -> Result<Genotype, Misfit> {
        let indices = self.indices(cells)?;
        let is_full = indices.len() == self.length;
        let mut next = 0;
        let genotype = space.build(&mut |number| {
            let decision = &space.decisions()[number];
            let start = if is_full { self.starts[number] } else { next };
            next = start + slots(&decision.kind);
            let own = indices.get(start..next).ok_or_else(|| {
                GenotypeError(format!(
                    "{}: its index is missing, after {} of them",
                    decision.id,
                    indices.len()
                ))
            })?;
            Ok(draw(&decision.kind, own))
        })?;
        match is_full || next == indices.len() {
            true => Ok(genotype),
            false => Err(Misfit::Foreign(format!(
                "it has {} indices, of which the space's decisions take {next}",
                indices.len()
            ))),
        }
    }
}

/// What a decision holds by its indices, one for each slot. Whether it may is the space's to say.
fn draw(kind: &DecisionKind, indices: &[u32]) -> Draw {
    match kind {
        DecisionKind::Many { .. } => Draw::Many(indices.to_vec()),
        DecisionKind::Int { low, .. } => Draw::Int(low.saturating_add(indices[0].into())),
        DecisionKind::Choice { .. } | DecisionKind::Float { .. } => Draw::Choice(indices[0]),
    }
}
