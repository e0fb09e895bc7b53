//! Networks of stacked cells: stages of equal cells, each stage at half the resolution and twice the width of the last.

use serde::{Deserialize, Serialize};

use super::lower::CellSite;
use super::{Body, Cell, Head, Node, Stem, Widths, Wiring, WiringError, count, mark_auxiliary};
use crate::candidate::Task;
use crate::ir::{Graph, Shape, ShapeError, Tensor};
use crate::op::{self, Lower, Op, ReluConvBn, Site, SkipConnect};

/// A network of stacked cells.
///
/// What a cell reads is brought to its width first: where the cell concatenates (PNAS, NASNet, DARTS) by a ReLU, a 1x1
/// convolution and a batch norm, or a factorised reduction where the cell before has twice the resolution; where it
/// sums (NAS-Bench-201) only if the shapes differ; NAS-Bench-101 projects inside its cells. The first cell reads the
/// stem twice.
///
/// ```
/// use cellwright::Task;
/// use cellwright::architecture::Stacked;
///
/// let network: Stacked = ron::from_str(
///     "(cell: Edges([[(from: PreviousCell, op: ReluConvBn((kernel: 3)))]]), stages: 2, repeats: 1, channels: 8)",
/// )?;
/// // The stem, one cell a stage, and the same cell between the stages at stride 2.
/// let graph = network.graph(&Task { input: (1, 8, 8), classes: 10 })?;
/// assert_eq!(graph.cost().depth, 1 + 3 + 1 + 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stacked {
    /// The first layers.
    #[serde(default)]
    pub stem: Stem,
    /// The cell that is repeated.
    pub cell: Wiring,
    /// How one stage leads to the next.
    #[serde(default)]
    pub reduction: Reduction,
    /// Number of stages.
    #[serde(default = "three", deserialize_with = "count::<16, _>")]
    pub stages: usize,
    /// Cells a stage.
    #[serde(deserialize_with = "count::<1024, _>")]
    pub repeats: usize,
    /// Width of the first stage's cells; it doubles with every stage.
    #[serde(deserialize_with = "count::<65_536, _>")]
    pub channels: usize,
    /// The last layers.
    #[serde(default)]
    pub head: Head,
}

fn three() -> usize {
    3
}

/// How one stage of cells leads to the next, at half the resolution and twice the width.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Reduction {
    /// By the same cell once more, at stride 2 (PNAS on CIFAR-10).
    #[default]
    SameCell,
    /// By the next stage's first cell, at stride 2 (PNASNet on ImageNet).
    FirstCell,
    /// By a cell of its own, at stride 2 (NASNet, DARTS).
    Cell(Wiring),
    /// By an op at stride 2 (NAS-Bench-201's residual block, NAS-Bench-101's max-pooling).
    Op(Op),
}

/// One layer of the stack.
#[derive(Clone, Copy)]
struct Layer<'a> {
    kind: Kind<'a>,
    channels: usize,
    stride: usize,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Cell(&'a Cell),
    Op(&'a Op),
}

impl Stacked {
    /// The network as primitives.
    ///
    /// # Errors
    /// Where a layer's input has a shape that it cannot take.
    pub fn graph(&self, task: &Task) -> Result<Graph, ShapeError> {
        let mut body = self.body(task.shape())?;
        let logits = self.head.lower(&mut body, task.classes)?;
        Ok(body.ending_in(logits))
    }

    /// The network without its head.
    pub(super) fn body(&self, input: Shape) -> Result<Body, ShapeError> {
        let mut body = Body::new(input);
        let graph = &mut body.graph;
        self.check().map_err(|error| graph.refusal(error.0))?;
        let (normal, reduction) = (self.cell.cell(), self.reduction_cell());
        let layers = self.layers(&normal, reduction.as_ref());
        let stem = self.stem.lower(graph, self.stem.channels.unwrap_or(self.channels))?;
        body.layers.push(stem);
        let (mut before, mut previous) = (stem, stem);
        for (index, layer) in layers.iter().enumerate() {
            let depth = (index + 1) as f64 / layers.len() as f64;
            let scope = format!("cells.{index}");
            let output =
                graph.scoped(scope, |graph| layer.lower(graph, [previous, before], &normal, depth))?;
            (before, previous) = (previous, output);
            mark_auxiliary(graph, output, index, layers.len());
            body.layers.push(output);
        }
        Ok(body)
    }

    fn check(&self) -> Result<(), WiringError> {
        self.cell.check()?;
        if let Reduction::Cell(wiring) = &self.reduction { wiring.check() } else { Ok(()) }
    }

    /// The cell between stages, where it is one of its own.
    pub(super) fn reduction_cell(&self) -> Option<Cell> {
        if let Reduction::Cell(wiring) = &self.reduction { Some(wiring.cell()) } else { None }
    }

    /// Whether the repeated cell stands at stride 1 everywhere, so that its skips are identities.
    pub(super) fn keeps_resolution(&self) -> bool {
        let reduced = self.stages > 1 && matches!(self.reduction, Reduction::SameCell | Reduction::FirstCell);
        !reduced && self.stem.cells == 0
    }

    fn layers<'a>(&'a self, normal: &'a Cell, reduction: Option<&'a Cell>) -> Vec<Layer<'a>> {
        let cell = |channels, stride| Layer { kind: Kind::Cell(normal), channels, stride };
        let narrowed = (1..=self.stem.cells)
            .rev()
            .map(|halvings| self.channels.checked_shr(halvings as u32).unwrap_or(0));
        let mut layers: Vec<_> = narrowed.map(|channels| cell(channels, 2)).collect();
        let mut channels = self.channels;
        for stage in 0..self.stages {
            let mut first = 1;
            if stage > 0 {
                channels = channels.saturating_mul(2);
                let kind = match (&self.reduction, reduction) {
                    (Reduction::Op(op), _) => Some(Kind::Op(op)),
                    (Reduction::FirstCell, _) => None,
                    (_, reduction) => Some(Kind::Cell(reduction.unwrap_or(normal))),
                };
                layers.extend(kind.map(|kind| Layer { kind, channels, stride: 2 }));
                first = if kind.is_none() { 2 } else { 1 };
            }
            layers.extend((0..self.repeats).map(|index| cell(channels, if index == 0 { first } else { 1 })));
        }
        layers
    }
}

impl Layer<'_> {
    fn lower(
        &self,
        graph: &mut Graph,
        inputs: [Tensor; 2],
        normal: &Cell,
        depth: f64,
    ) -> Result<Tensor, ShapeError> {
        let Layer { kind, channels, stride } = *self;
        match kind {
            Kind::Cell(cell) => {
                let inputs = calibrate(graph, cell, inputs, channels)?;
                cell.lower(graph, &inputs, CellSite { channels, stride, depth })
            }
            Kind::Op(op) => {
                // Cells that project what they read widen it themselves.
                let channels = (normal.widths() == Widths::Equal).then_some(channels);
                op.lower(graph, inputs[0], Site { channels, stride, depth })
            }
        }
    }
}

/// Brings what a cell reads to its width and to the resolution of the previous cell.
fn calibrate(
    graph: &mut Graph,
    cell: &Cell,
    inputs: [Tensor; 2],
    channels: usize,
) -> Result<Vec<Tensor>, ShapeError> {
    let read = &inputs[..cell.arity().clamp(1, 2)];
    if cell.widths() == Widths::Split {
        return Ok(read.to_vec());
    }
    let always = cell.graph()[cell.output()] == Node::Concat;
    let resolution =
        |graph: &Graph, tensor| graph.map(tensor, "a cell").map(|(_, height, width)| (height, width));
    let wanted = resolution(graph, inputs[0])?;
    let mut fitted = Vec::with_capacity(2);
    for (input, name) in read.iter().zip(["previous", "before"]) {
        let differs = graph.shape(*input).channels() != channels;
        let halves = resolution(graph, *input)? != wanted;
        let site = |stride| Site { channels: Some(channels), stride, depth: 1.0 };
        fitted.push(graph.scoped(name, |graph| match (halves, always || differs) {
            (true, _) => SkipConnect { reduction: op::Reduction::Factorized }.build(graph, *input, site(2)),
            (false, true) => ReluConvBn { kernel: 1, ..ReluConvBn::default() }.build(graph, *input, site(1)),
            (false, false) => Ok(*input),
        })?);
    }
    Ok(fitted)
}
