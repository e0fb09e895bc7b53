//! Which decision holds what: a genotype without its nesting, and the walks between the two.

use super::decision::Draw;
use super::genotype::{Gene, Genes, Genotype, GenotypeError};
use super::template::{Open, Part, Template};

/// What each active decision holds, and the order in which they are met.
///
/// All moves work on this form: a decision that becomes active again, or is shared between branches, is found by its
/// number wherever it stands in the tree of genes.
#[derive(Clone, Debug, Default)]
pub(super) struct Assignment {
    drawn: Vec<Option<Draw>>,
    /// The active decisions, in the order of the genotype.
    pub order: Vec<usize>,
    /// The shared pieces already met.
    met: Vec<bool>,
}

/// Asked for each decision as it becomes active.
pub(super) type Ask<'a> = dyn FnMut(usize) -> Result<Draw, GenotypeError> + 'a;

impl Assignment {
    fn empty(template: &Template) -> Assignment {
        Assignment {
            drawn: vec![None; template.decisions.len()],
            order: Vec::with_capacity(template.decisions.len().min(64)),
            met: vec![false; template.pieces.len()],
        }
    }

    /// What a decision holds, if it is active.
    pub fn draw(&self, decision: usize) -> Option<&Draw> {
        self.drawn.get(decision)?.as_ref()
    }

    /// The active decisions in order, with what they hold.
    pub fn active(&self) -> impl Iterator<Item = (usize, &Draw)> {
        self.order.iter().filter_map(|decision| Some((*decision, self.draw(*decision)?)))
    }

    fn hold(&mut self, decision: usize, draw: Draw) {
        self.drawn[decision] = Some(draw);
        self.order.push(decision);
    }

    /// Whether a shared piece is met for the first time.
    fn meets(&mut self, piece: usize) -> bool {
        !std::mem::replace(&mut self.met[piece], true)
    }
}

impl Template {
    /// An assignment made by asking for each decision as it becomes active.
    ///
    /// # Errors
    /// What `ask` refuses, and answers that are not the decision's.
    pub fn assign(&self, ask: &mut Ask) -> Result<Assignment, GenotypeError> {
        let mut assignment = Assignment::empty(self);
        self.assign_part(&self.root, &mut assignment, ask)?;
        Ok(assignment)
    }

    fn assign_part(
        &self,
        part: &Part,
        assignment: &mut Assignment,
        ask: &mut Ask,
    ) -> Result<(), GenotypeError> {
        for open in part.opens.iter() {
            match *open {
                Open::Piece(piece) if assignment.meets(piece) => {
                    self.assign_part(&self.pieces[piece], assignment, ask)?;
                }
                Open::Piece(_) => {}
                Open::Slot(decision) => {
                    let draw = ask(decision)?;
                    self.check(decision, &draw)?;
                    assignment.hold(decision, draw.clone());
                    for part in self.bodies[decision].chosen(&draw) {
                        self.assign_part(part, assignment, ask)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn check(&self, decision: usize, draw: &Draw) -> Result<(), GenotypeError> {
        match self.decisions[decision].kind.objection(draw) {
            None => Ok(()),
            Some(objection) => Err(GenotypeError(format!("{}: {objection}", self.decisions[decision].id))),
        }
    }

    /// The assignment of a genotype.
    ///
    /// # Errors
    /// The first gene that is not of the space.
    pub fn read(&self, genotype: &Genotype) -> Result<Assignment, GenotypeError> {
        let mut assignment = Assignment::empty(self);
        let mut genes = genotype.0.iter();
        self.read_part(&self.root, &mut genes, &mut assignment)?;
        match genes.as_slice().first() {
            None => Ok(assignment),
            Some(gene) => {
                let (more, met) = (counted(genes.len()), assignment.order.len());
                Err(GenotypeError(format!("{more} too many after {met} decisions, from `{gene}` on")))
            }
        }
    }

    fn read_part(
        &self,
        part: &Part,
        genes: &mut std::slice::Iter<'_, Gene>,
        assignment: &mut Assignment,
    ) -> Result<(), GenotypeError> {
        for open in part.opens.iter() {
            match *open {
                Open::Piece(piece) if assignment.meets(piece) => {
                    self.read_part(&self.pieces[piece], genes, assignment)?;
                }
                Open::Piece(_) => {}
                Open::Slot(decision) => match genes.next() {
                    Some(gene) => self.read_gene(decision, gene, assignment)?,
                    None => {
                        return Err(GenotypeError(format!(
                            "{}: its gene is missing",
                            self.decisions[decision].id
                        )));
                    }
                },
            }
        }
        Ok(())
    }

    fn read_gene(
        &self,
        decision: usize,
        gene: &Gene,
        assignment: &mut Assignment,
    ) -> Result<(), GenotypeError> {
        let draw = bare(gene);
        self.check(decision, &draw)?;
        assignment.hold(decision, draw);
        match gene {
            Gene::Choice(index, inner) => {
                self.read_inner(decision, self.bodies[decision].single(*index), inner, assignment)
            }
            Gene::Many(slots) => slots.iter().enumerate().try_for_each(|(slot, choice)| match choice {
                Gene::Choice(index, inner) => {
                    self.read_inner(decision, self.bodies[decision].slot(slot, *index), inner, assignment)
                }
                other => {
                    let id = &self.decisions[decision].id;
                    Err(GenotypeError(format!("{id}: `{other}` is not a choice such as `0`")))
                }
            }),
            Gene::Int(_) | Gene::Float(_) => Ok(()),
        }
    }

    fn read_inner(
        &self,
        decision: usize,
        parts: &[Part],
        genes: &[Gene],
        assignment: &mut Assignment,
    ) -> Result<(), GenotypeError> {
        let mut genes = genes.iter();
        parts.iter().try_for_each(|part| self.read_part(part, &mut genes, assignment))?;
        match genes.as_slice().first() {
            None => Ok(()),
            Some(gene) => {
                let id = &self.decisions[decision].id;
                let more = counted(genes.len());
                Err(GenotypeError(format!("{id}: its choice has {more} too many, from `{gene}` on")))
            }
        }
    }

    /// The genotype of an assignment.
    pub fn write(&self, assignment: &Assignment) -> Genotype {
        let mut met = vec![false; self.pieces.len()];
        Genotype(self.write_part(&self.root, assignment, &mut met))
    }

    fn write_part(&self, part: &Part, assignment: &Assignment, met: &mut [bool]) -> Genes {
        // No allocation where there is nothing open: most candidates.
        let mut genes = Genes::with_capacity(part.opens.len());
        for open in part.opens.iter() {
            match *open {
                Open::Piece(piece) => {
                    if !std::mem::replace(&mut met[piece], true) {
                        genes.extend(self.write_part(&self.pieces[piece], assignment, met));
                    }
                }
                Open::Slot(decision) => {
                    genes.extend(
                        assignment
                            .draw(decision)
                            .map(|draw| self.write_gene(decision, draw, assignment, met)),
                    );
                }
            }
        }
        genes
    }

    fn write_gene(&self, decision: usize, draw: &Draw, assignment: &Assignment, met: &mut [bool]) -> Gene {
        let body = &self.bodies[decision];
        let mut inner = |parts: &[Part]| match parts {
            [part] => self.write_part(part, assignment, met),
            parts => parts.iter().flat_map(|part| self.write_part(part, assignment, met)).collect(),
        };
        match draw {
            Draw::Choice(index) => Gene::Choice(*index, inner(body.single(*index))),
            Draw::Many(choices) => {
                let slots = choices.iter().enumerate();
                Gene::Many(
                    slots.map(|(slot, index)| Gene::Choice(*index, inner(body.slot(slot, *index)))).collect(),
                )
            }
            Draw::Int(value) => Gene::Int(*value),
            Draw::Float(value) => Gene::Float(*value),
        }
    }
}

/// A gene without the decisions that hang on it.
fn bare(gene: &Gene) -> Draw {
    match gene {
        Gene::Choice(index, _) => Draw::Choice(*index),
        Gene::Int(value) => Draw::Int(*value),
        Gene::Float(value) => Draw::Float(*value),
        Gene::Many(slots) => Draw::Many(slots.iter().map(slot_choice).collect()),
    }
}

/// A slot that is no choice gets a number that no space has, and so is told as out of range.
fn slot_choice(slot: &Gene) -> u32 {
    match slot {
        Gene::Choice(index, _) => *index,
        Gene::Many(_) | Gene::Int(_) | Gene::Float(_) => u32::MAX,
    }
}

fn counted(genes: usize) -> String {
    if genes == 1 { "1 gene".into() } else { format!("{genes} genes") }
}
