//! Candidates of any space as tokens.
//!
//! Every decision is a slot of tokens, one for each of its candidates; numbers are spread over the two nearest of a few
//! knots; a decision that is not active has no token. The elements of a `Prefix` are blocks, as in PNAS: what stands
//! at the same place in each of them shares one slot, and the tokens of a candidate's blocks are averaged, so that the
//! surrogate sees cells of any size alike. Decisions that name the same candidates share a table of embeddings. Where a
//! space's programs are networks, what [`FeatureSet`] asks for of the network stands beside its decisions.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::figure_slots::FigureSlots;
use super::network_features::NetworkFeatures;
use super::{Features, Layout, Measure, Slot};
use crate::space::{Decision, DecisionKind, Draw, Genotype, GenotypeError, Space};

/// What a surrogate gets to see of a candidate.
///
/// Paths, graph and cost are features of networks. Where a space's programs are none (a user's own type, or no type at
/// all) there are no such features, whatever is asked for, and the decisions are seen even if not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureSet {
    /// What every decision holds.
    pub decisions: bool,
    /// How often each candidate is chosen by decisions that name the same ones: how many convolutions, wherever they are.
    pub labels: bool,
    /// Which paths of ops lead from a cell's input to its output, as in BANANAS
    /// (<https://arxiv.org/abs/1910.11858>): the commonest, each there or not.
    pub paths: bool,
    /// How often each op stands in the cells, each op with what it reads, and those with what they read, as in NAS-BOWL
    /// (<https://arxiv.org/abs/2006.07556>): the commonest, counted; and how many ops and edges, how deep and how wide.
    pub graph: bool,
    /// Parameters, multiply-accumulates and depth of the whole network, each by its rank among random candidates.
    pub cost: bool,
    /// What the space knows of a candidate for nothing ([`Space::informed`]), where it knows anything: zero-cost proxies.
    pub figures: bool,
}

impl Default for FeatureSet {
    /// The decisions, and what is known for nothing.
    fn default() -> FeatureSet {
        FeatureSet { decisions: true, labels: false, paths: false, graph: false, cost: false, figures: true }
    }
}

/// How a space's candidates become [`Features`].
#[derive(Clone, Debug)]
pub struct Encoding {
    layout: Layout,
    /// Whether decisions are features.
    decisions: bool,
    labels: LabelCounts,
    tokens: Vec<Tokens>,
    blocks: Blocks,
    network: NetworkFeatures,
    figures: FigureSlots,
}

/// Where a decision's tokens stand.
#[derive(Clone, Debug)]
enum Tokens {
    /// First column of the one slot.
    Choice(usize),
    /// First column of the slot of each place.
    Many(Vec<usize>),
    /// First column and number of knots.
    Number(usize, usize),
    /// The length of a `Prefix`, which the number of blocks tells, and whatever cannot be decided otherwise.
    None,
}

/// Which side of a candidate its label counts show; 0 are its decisions.
const LABELS_SIDE: usize = 1;

/// A number has as many knots as values, but no more than this.
const KNOTS: usize = 7;

impl Encoding {
    /// The encoding of a space's decisions: the same space always has the same.
    pub fn of(space: &Space) -> Encoding {
        Encoding::with(space, FeatureSet::default())
    }

    /// The encoding of a space with these features: the same space always has the same. Features of networks are found by
    /// looking at a few hundred random candidates.
    pub fn with(space: &Space, set: FeatureSet) -> Encoding {
        Encoding::of_decisions(space, Blocks::of(space)).seeing(space, set)
    }

    /// [`Encoding::with`] in which every block of a `Prefix` has slots of its own, in order, and nothing is averaged: for
    /// what reads a candidate from its first decision to its last.
    pub fn in_order(space: &Space, set: FeatureSet) -> Encoding {
        Encoding::of_decisions(space, Blocks::apart(space)).seeing(space, set)
    }

    /// With what is to be seen besides decisions, and without them where they are not to be seen.
    fn seeing(mut self, space: &Space, set: FeatureSet) -> Encoding {
        let encoding = &mut self;
        let labels = if set.labels { LabelCounts::of(&encoding.layout) } else { LabelCounts::default() };
        encoding.network = NetworkFeatures::of(space, set);
        encoding.decisions = set.decisions || (labels.is_empty() && encoding.network.is_empty());
        if !encoding.decisions {
            encoding.layout = Layout::default();
        }
        encoding.labels = labels.placed(&mut encoding.layout);
        encoding.network.place(&mut encoding.layout);
        encoding.figures = FigureSlots::of(space, set.figures, &mut encoding.layout);
        self
    }

    fn of_decisions(space: &Space, blocks: Blocks) -> Encoding {
        let mut slots = Slots::default();
        let place = |(number, decision): (usize, &Decision)| match blocks.min_lengths[number] {
            Some(_) => Vec::new(),
            None => slots.place(decision, &blocks.places[number]),
        };
        let places: Vec<_> = space.decisions().iter().enumerate().map(place).collect();
        let (layout, starts) = slots.layout();
        let tokens =
            places.into_iter().zip(space.decisions()).map(|(places, decision)| match decision.kind {
                _ if places.is_empty() => Tokens::None,
                DecisionKind::Choice { .. } => Tokens::Choice(starts[places[0]]),
                DecisionKind::Many { .. } => {
                    Tokens::Many(places.iter().map(|place| starts[*place]).collect())
                }
                DecisionKind::Int { .. } | DecisionKind::Float { .. } => {
                    Tokens::Number(starts[places[0]], width(&decision.kind))
                }
            });
        let (labels, network, figures) = Default::default();
        Encoding { layout, decisions: true, labels, tokens: tokens.collect(), blocks, network, figures }
    }

    /// What the columns mean.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A candidate with all its features.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn describe(&self, space: &Space, genotype: &Genotype) -> Result<Features, GenotypeError> {
        self.describe_decided(space, genotype, &space.active(genotype)?)
    }

    /// [`Encoding::describe`] of a candidate whose active decisions are known.
    ///
    /// # Errors
    /// A genotype that is not of the space.
    pub fn describe_decided(
        &self,
        space: &Space,
        genotype: &Genotype,
        active: &[(usize, Draw)],
    ) -> Result<Features, GenotypeError> {
        let mut features = Features::new();
        if self.decisions || !self.labels.is_empty() {
            let decided = self.features(space, active);
            self.labels.count(&decided, &mut features);
            if self.decisions {
                features.extend(decided);
            }
        }
        self.network.describe(space, genotype, &mut features)?;
        self.figures.describe(space, genotype, &mut features);
        Ok(features)
    }

    /// A candidate's tokens, from its active decisions alone: all there is to see with [`Encoding::of`].
    pub fn features(&self, space: &Space, active: &[(usize, Draw)]) -> Features {
        let lengths = self.blocks.lengths(active);
        let mut features = Features::with_capacity(active.len());
        for (decision, draw) in active {
            let weight = self.blocks.weight(*decision, &lengths);
            let mut add = |column: usize, share: f32| features.push((column as u32, weight * share));
            match (&self.tokens[*decision], draw) {
                (Tokens::Choice(start), Draw::Choice(choice)) => add(start + *choice as usize, 1.0),
                (Tokens::Many(starts), Draw::Many(choices)) => {
                    starts.iter().zip(choices).for_each(|(start, choice)| add(start + *choice as usize, 1.0));
                }
                (Tokens::Number(start, knots), draw) => {
                    let share = space.decisions()[*decision].kind.share(draw).unwrap_or(0.0);
                    let at = share * (knots - 1) as f64;
                    let knot = (at.floor() as usize).min(knots - 2);
                    let upper = (at - knot as f64) as f32;
                    add(start + knot, 1.0 - upper);
                    add(start + knot + 1, upper);
                }
                _ => {}
            }
        }
        features
    }
}

/// Columns for the candidates that several decisions name alike: how large a share of the decisions chose each.
#[derive(Clone, Debug, Default)]
struct LabelCounts {
    /// For each column of the decisions, where its label is counted, and what a choice weighs there.
    of_columns: Vec<Option<(u32, f32)>>,
    /// The number of labels of each kind.
    widths: Vec<usize>,
}

impl LabelCounts {
    fn of(decisions: &Layout) -> LabelCounts {
        let shared: Vec<usize> =
            (0..decisions.kinds.len()).filter(|kind| decisions.is_shared(*kind)).collect();
        let widths: Vec<usize> = shared.iter().map(|kind| decisions.kinds[*kind]).collect();
        let column = |slot: &Slot, token: usize| {
            let place = shared.iter().position(|kind| *kind == slot.kind)?;
            let alike = decisions.slots.iter().filter(|other| other.kind == slot.kind).count();
            let start: usize = widths[..place].iter().sum();
            Some(((start + token) as u32, 1.0 / alike as f32))
        };
        let of_columns =
            decisions.slots.iter().flat_map(|slot| (0..slot.width).map(move |token| (slot, token)));
        LabelCounts { of_columns: of_columns.map(|(slot, token)| column(slot, token)).collect(), widths }
    }

    fn is_empty(&self) -> bool {
        self.widths.is_empty()
    }

    /// The same with its columns added to a layout.
    fn placed(mut self, layout: &mut Layout) -> LabelCounts {
        let first = layout.columns() as u32;
        for width in &self.widths {
            let slot = layout.add(*width);
            layout.slots[slot].side = LABELS_SIDE;
        }
        self.of_columns.iter_mut().flatten().for_each(|(column, _)| *column += first);
        self
    }

    /// Adds the counts of what was decided.
    fn count(&self, decided: &Features, features: &mut Features) {
        if self.is_empty() {
            return;
        }
        let counted = decided.iter().filter_map(|(column, weight)| {
            let (column, share) = self.of_columns[*column as usize]?;
            Some((column, weight * share))
        });
        let mut counted: Features = counted.collect();
        counted.sort_by_key(|(column, _)| *column);
        for (column, weight) in counted {
            match features.last_mut() {
                Some((last, sum)) if *last == column => *sum += weight,
                _ => features.push((column, weight)),
            }
        }
    }
}

/// Number of columns a decision needs for each of its places.
fn width(kind: &DecisionKind) -> usize {
    match *kind {
        DecisionKind::Choice { candidates } | DecisionKind::Many { candidates, .. } => candidates as usize,
        DecisionKind::Int { low, high } => {
            usize::try_from(i128::from(high) - i128::from(low) + 1).unwrap_or(usize::MAX).min(KNOTS)
        }
        DecisionKind::Float { .. } => KNOTS,
    }
}

/// The slots of a layout in the making: decisions at the same place of different blocks share one.
#[derive(Default)]
struct Slots {
    by_place: HashMap<String, usize>,
    widths: Vec<usize>,
    labels: Vec<Vec<String>>,
    measures: Vec<Measure>,
}

/// How the values of a decision compare: those of a `OneOf` are numbers where all are written so, rising or falling.
fn measure(decision: &Decision) -> Measure {
    let numbers: Option<Vec<f64>> = decision.labels.iter().map(|label| label.parse().ok()).collect();
    match (&decision.kind, numbers) {
        (DecisionKind::Int { .. } | DecisionKind::Float { .. }, _) => Measure::Number,
        (DecisionKind::Choice { .. }, Some(numbers)) if numbers.len() > 2 => {
            let rises = numbers.windows(2).all(|pair| pair[0] < pair[1]);
            let falls = numbers.windows(2).all(|pair| pair[0] > pair[1]);
            if rises || falls { Measure::Number } else { Measure::Choice }
        }
        _ => Measure::Choice,
    }
}

impl Slots {
    /// The slots of a decision whose place in its block, or in the program, is `place`.
    fn place(&mut self, decision: &Decision, place: &str) -> Vec<usize> {
        let repeats = match decision.kind {
            _ if decision.kind.is_single() => 0,
            DecisionKind::Many { k, .. } => k as usize,
            _ => 1,
        };
        let slots = (0..repeats).map(|repeat| self.slot(format!("{place} {repeat}"), decision));
        slots.collect()
    }

    fn slot(&mut self, place: String, decision: &Decision) -> usize {
        let slot = *self.by_place.entry(place).or_insert(self.widths.len());
        if slot == self.widths.len() {
            self.widths.push(0);
            self.labels.push(Vec::new());
            self.measures.push(measure(decision));
        }
        self.widths[slot] = self.widths[slot].max(width(&decision.kind));
        if self.labels[slot].len() < decision.labels.len() {
            self.labels[slot].clone_from(&decision.labels);
        }
        slot
    }

    /// The layout, and the first column of every slot. Slots share a table where one's candidates begin the other's.
    fn layout(self) -> (Layout, Vec<usize>) {
        let mut layout = Layout::default();
        let mut tables: Vec<(Vec<String>, usize)> = Vec::new();
        for (width, labels) in self.widths.into_iter().zip(self.labels) {
            let same = |table: &&mut (Vec<String>, usize)| {
                labels.starts_with(&table.0) || table.0.starts_with(&labels)
            };
            match tables.iter_mut().find(same) {
                Some((known, kind)) if !labels.is_empty() => {
                    layout.add_shared(width, *kind);
                    if known.len() < labels.len() {
                        *known = labels;
                    }
                }
                _ => {
                    let slot = layout.add(width);
                    if !labels.is_empty() {
                        tables.push((labels, layout.slots[slot].kind));
                    }
                }
            }
        }
        layout.slots.iter_mut().zip(self.measures).for_each(|(slot, measure)| slot.measure = measure);
        let starts = layout.slots.iter().map(|slot| slot.start).collect();
        (layout, starts)
    }
}

/// Which decisions stand in the elements of which `Prefix`.
#[derive(Clone, Debug)]
struct Blocks {
    /// The least length, by decision; only of a `Prefix`.
    min_lengths: Vec<Option<usize>>,
    /// The `Prefix`es that each decision stands in, outermost first.
    around: Vec<Vec<usize>>,
    /// Where each decision stands: in all blocks of a `Prefix` alike.
    places: Vec<String>,
}

impl Blocks {
    fn of(space: &Space) -> Blocks {
        let decisions = space.decisions();
        let min_lengths: Vec<_> = (0..decisions.len()).map(|decision| space.prefix_min(decision)).collect();
        let prefixes = || (0..decisions.len()).filter(|decision| min_lengths[*decision].is_some());
        let holder = |decision: &Decision| -> Vec<usize> {
            prefixes().filter(|prefix| decision.place_in(&decisions[*prefix]).is_some()).collect()
        };
        let around: Vec<Vec<usize>> = decisions.iter().map(holder).collect();
        let places = decisions.iter().zip(&around).map(|(decision, around)| match around.first() {
            Some(prefix) => {
                let place = decision.place_in(&decisions[*prefix]).map_or("", |(_, place)| place);
                format!("{prefix} {place}")
            }
            None => decision.id.clone(),
        });
        Blocks { places: places.collect(), around, min_lengths }
    }

    /// Every decision for itself, in whichever block it stands.
    fn apart(space: &Space) -> Blocks {
        let places = space.decisions().iter().map(|decision| decision.id.clone()).collect();
        let around = vec![Vec::new(); space.decisions().len()];
        Blocks { places, around, ..Blocks::of(space) }
    }

    /// The length of each active `Prefix`.
    fn lengths(&self, active: &[(usize, Draw)]) -> HashMap<usize, usize> {
        let length = |(decision, draw): &(usize, Draw)| match (self.min_lengths[*decision], draw) {
            (Some(min), Draw::Choice(more)) => Some((*decision, min + *more as usize)),
            _ => None,
        };
        active.iter().filter_map(length).collect()
    }

    /// One over the number of blocks that are averaged.
    fn weight(&self, decision: usize, lengths: &HashMap<usize, usize>) -> f32 {
        let counts = self.around[decision].iter().filter_map(|prefix| lengths.get(prefix));
        1.0 / counts.product::<usize>().max(1) as f32
    }
}

#[cfg(test)]
mod tests;
