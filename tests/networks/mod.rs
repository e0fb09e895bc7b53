//! Networks that between them are made of every primitive, as programs.

use cellwright::Candidate;
use cellwright::export::Model;
use cellwright::ir::{Graph, Initial, Role, Weights};
use cellwright::symbolic::{Value, from_value};

/// A named program with all that follows from it.
pub struct Network {
    pub name: &'static str,
    pub program: Value,
    pub candidate: Candidate,
    pub graph: Graph,
}

impl Network {
    pub fn new(name: &'static str, text: &str) -> Network {
        let program: Value = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        let candidate: Candidate = from_value(&program).unwrap_or_else(|error| panic!("{name}: {error}"));
        let graph = candidate.graph().unwrap_or_else(|error| panic!("{name}: {error}"));
        Network { name, program, candidate, graph }
    }

    /// The network with nothing known but its program.
    pub fn model(&self) -> Model<'_> {
        Model {
            name: self.name,
            candidate: &self.candidate,
            program: &self.program,
            graph: &self.graph,
            weights: None,
            classes: &[],
            mean: &[],
            deviation: &[],
            accuracy: None,
            genotype: None,
        }
    }

    /// Weights as after some training: every parameter, statistics of norms included, is different from its start.
    pub fn weights(&self) -> Weights {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut uniform = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 24) as f32 * 2.0 - 1.0
        };
        let parameters = self.graph.parameters().into_iter().map(|parameter| {
            let scale = match parameter.initial {
                // By what goes into an output, so that activations keep their size without norms that fit them.
                Initial::Kaiming { .. } => {
                    (6.0 / parameter.shape[1..].iter().product::<usize>() as f32).sqrt()
                }
                Initial::Uniform { bound } => bound as f32,
                Initial::Constant(_) => 0.2,
            };
            let middle = match parameter.role {
                Role::Scale | Role::RunningVariance => 1.0,
                Role::Weight | Role::Bias | Role::Offset | Role::RunningMean => 0.0,
            };
            let count = parameter.shape.iter().product();
            let values = std::iter::repeat_with(|| middle + scale * uniform()).take(count).collect();
            (parameter.name, (parameter.shape, values))
        });
        parameters.collect()
    }
}

/// All networks of the export tests, for pictures of one channel and 8 by 8 pixels.
pub fn all() -> Vec<Network> {
    [
        ("pnas", PNAS),
        ("darts", DARTS),
        ("nasbench201", NASBENCH201),
        ("nasbench101", NASBENCH101),
        ("mobile", MOBILE),
    ]
    .into_iter()
    .chain([("plain", PLAIN)])
    .map(|(name, text)| Network::new(name, text))
    .collect()
}

/// The cell of PNASNet-5, small: factorised reductions, drop path.
const PNAS: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Stacked(
        cell: Blocks([
            (left: (input: CellBefore, op: SepConv(kernel: 5)), right: (input: CellBefore, op: MaxPool(kernel: 3))),
            (left: (input: PreviousCell, op: SepConv(kernel: 7)), right: (input: PreviousCell, op: MaxPool(kernel: 3))),
            (left: (input: PreviousCell, op: SepConv(kernel: 5)), right: (input: PreviousCell, op: SepConv(kernel: 3))),
            (left: (input: Block(3), op: SepConv(kernel: 3)), right: (input: PreviousCell, op: MaxPool(kernel: 3))),
            (left: (input: CellBefore, op: FactorizedConv(kernel: 7)), right: (input: PreviousCell, op: SkipConnect)),
        ]),
        stages: 2, repeats: 2, channels: 8,
    ),
)";

/// A normal and a reduction cell.
const DARTS: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Stacked(
        cell: ConcatEdges([
            [(from: CellBefore, op: SepConv(kernel: 3)), (from: PreviousCell, op: SepConv(kernel: 3))],
            [(from: CellBefore, op: SepConv(kernel: 3)), (from: PreviousCell, op: SepConv(kernel: 3))],
            [(from: PreviousCell, op: SepConv(kernel: 3)), (from: CellBefore, op: SkipConnect)],
            [(from: CellBefore, op: SkipConnect), (from: Node(1), op: DilConv(kernel: 3))],
        ]),
        reduction: Cell(ConcatEdges([
            [(from: CellBefore, op: MaxPool(kernel: 3)), (from: PreviousCell, op: AvgPool(kernel: 3))],
            [(from: Node(1), op: SkipConnect), (from: PreviousCell, op: MaxPool(kernel: 3))],
            [(from: CellBefore, op: MaxPool(kernel: 3)), (from: Node(1), op: SkipConnect)],
            [(from: Node(1), op: SkipConnect), (from: PreviousCell, op: Zero)],
        ])),
        stages: 2, repeats: 2, channels: 8,
    ),
)";

const NASBENCH201: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Stacked(
        cell: Edges([
            [(from: PreviousCell, op: ReluConvBn(kernel: 3))],
            [(from: PreviousCell, op: ReluConvBn(kernel: 1)), (from: Node(1), op: ReluConvBn(kernel: 3))],
            [(from: PreviousCell, op: SkipConnect), (from: Node(1), op: AvgPool(kernel: 3)), (from: Node(2), op: Zero)],
        ]),
        reduction: Op(ResidualBlock),
        stages: 3, repeats: 2, channels: 8,
        head: (norm: true, activation: Some(Relu)),
    ),
)";

const NASBENCH101: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Stacked(
        cell: Matrix(
            adjacency: [[1, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1], [0, 1], [1]],
            ops: [
                ConvBnRelu(kernel: 1), ConvBnRelu(kernel: 3), ConvBnRelu(kernel: 3), MaxPool(kernel: 3),
                ConvBnRelu(kernel: 3),
            ],
        ),
        reduction: Op(MaxPool(kernel: 2)),
        stages: 2, repeats: 2, channels: 16,
    ),
)";

/// Inverted bottlenecks with gates, and every activation that they are used with.
const MOBILE: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Staged(
        stem: (activation: Some(HardSwish)),
        stages: [
            (op: FusedMbConv(kernel: 3, expansion: 2), repeats: 2, channels: 8),
            (op: MbConv(kernel: 3, expansion: 4), repeats: 3, channels: 16, stride: 2),
            (op: BottleneckBlock, repeats: 1, channels: 16),
            (op: MbConv(kernel: 5, expansion: 6), repeats: 2, channels: 24, stride: 2),
        ],
        head: (channels: Some(64), activation: Some(Silu), dropout: 0.2),
    ),
)";

/// Layers one after another, every activation among them.
const PLAIN: &str = "(
    task: (input: (1, 8, 8), classes: 10),
    architecture: Sequential([
        Conv(kernel: 3, channels: 8), BatchNorm, Activation(function: Gelu), MaxPool(kernel: 2, stride: 2),
        Conv(kernel: 3, channels: 12), Activation(function: Tanh), SqueezeExcitation(gate: HardSigmoid),
        Conv(kernel: 3, channels: 12), SqueezeExcitation(gate: Sigmoid), Dropout(rate: 0.1),
        Flatten, Linear(features: 24), BatchNorm, Activation(function: Relu6),
    ]),
)";

/// The first pictures of the test split as networks read them.
#[allow(dead_code, reason = "not every test that shares this module reads pictures")]
pub fn normalised(data: &cellwright::data::Dataset, count: usize) -> Vec<f32> {
    let pixels = (0..count).flat_map(|index| data.test.picture(index));
    pixels.map(|byte| (f32::from(*byte) / 255.0 - data.mean[0]) / data.deviation[0]).collect()
}
