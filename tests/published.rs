//! Parameters, multiply-adds and numbers of unique cells, against published figures.
//!
//! A debug build looks at every 16th row of the large tables, a release build at all of them.

use std::collections::HashSet;
use std::io::Read;

use cellwright::architecture::{Architecture, Block, BlockInput, Blocks, Branch, Matrix, Stacked, Wiring};
use cellwright::candidate::Task;
use cellwright::ir::Cost;
use cellwright::op::Op;
use cellwright::symbolic::{Sources, from_value};
use rayon::prelude::*;
use serde::de::DeserializeOwned;

const CIFAR10: Task = Task { input: (3, 32, 32), classes: 10 };
const IMAGENET: Task = Task { input: (3, 224, 224), classes: 1000 };
/// One row in so many is built.
const STEP: usize = if cfg!(debug_assertions) { 16 } else { 1 };

fn read<T: DeserializeOwned>(text: &str) -> T {
    let value = Sources::default().read("test", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    from_value(&value).unwrap_or_else(|error| panic!("{error:?}\n{text}"))
}

fn cost(task: Task, text: &str) -> Cost {
    read::<Architecture>(text).graph(&task).expect("the network fits its task").cost()
}

/// The rows of a shipped table.
fn table(name: &str) -> Vec<csv::StringRecord> {
    let path = format!("{}/tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the table is shipped");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("the table is gzip");
    let rows = csv::Reader::from_reader(text.as_bytes()).into_records();
    rows.collect::<Result<_, _>>().expect("the table is CSV")
}

const NASBENCH201_OPS: [&str; 5] =
    ["Zero", "SkipConnect", "ReluConvBn(kernel: 1)", "ReluConvBn(kernel: 3)", "AvgPool(kernel: 3)"];

/// A NAS-Bench-201 cell by its six digits, in the order of edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.
fn nasbench201(digits: &str) -> Wiring {
    let op: Vec<_> = digits.bytes().map(|digit| NASBENCH201_OPS[usize::from(digit - b'0')]).collect();
    read(&format!(
        "Edges([
            [(from: PreviousCell, op: {})],
            [(from: PreviousCell, op: {}), (from: Node(1), op: {})],
            [(from: PreviousCell, op: {}), (from: Node(1), op: {}), (from: Node(2), op: {})],
        ])",
        op[0], op[1], op[2], op[3], op[4], op[5]
    ))
}

fn nasbench201_network(cell: Wiring) -> Architecture {
    let network: Stacked = read(
        "(
            cell: Edges([[(from: PreviousCell, op: Zero)]]),
            reduction: Op(ResidualBlock(order: ReluConvBn, shortcut: AvgPool)),
            stages: 3, repeats: 5, channels: 16,
            head: (norm: true, activation: Relu),
        )",
    );
    Architecture::Stacked(Stacked { cell, ..network })
}

#[test]
fn nasbench201_networks_have_the_published_size() {
    let rows = table("nasbench201_cifar10.csv.gz");
    assert_eq!(rows.len(), 15_625);
    rows.par_iter().step_by(STEP).for_each(|row| {
        let published = [&row[9], &row[10]].map(|column| column.parse::<f64>().expect("a number"));
        let cost = nasbench201_network(nasbench201(&row[2])).graph(&CIFAR10).expect("fits").cost();
        assert_eq!([cost.params as f64 / 1e6, cost.macs as f64 / 1e6], published, "{}", &row[1]);
    });
}

#[test]
fn nasbench201_has_5425_unique_cells() {
    let rows = table("nasbench201_cifar10.csv.gz");
    let keys: HashSet<_> =
        rows.par_iter().map(|row| nasbench201(&row[2]).cell().simplified().key()).collect();
    assert_eq!(keys.len(), 5_425);
}

#[test]
fn a_network_at_one_resolution_a_cell_is_known_by_its_simplified_cell() {
    let key = |digits| nasbench201_network(nasbench201(digits)).key();
    // The convolution 0-1 leads nowhere; the one in 0-3 is all that remains of the second.
    assert_eq!(key("300300"), key("000300"));
    // Through node 1 by a skip, or straight.
    assert_eq!(key("100030"), key("000300"));
    assert_ne!(key("000300"), key("000200"));
}

const NASBENCH101_OPS: [&str; 3] = ["ConvBnRelu(kernel: 3)", "ConvBnRelu(kernel: 1)", "MaxPool(kernel: 3)"];

fn nasbench101_network(matrix: Matrix) -> Architecture {
    let network: Stacked = read(
        "(
            stem: (channels: 128, activation: Relu),
            cell: Matrix(adjacency: [[1]], ops: []),
            reduction: Op(MaxPool(kernel: 2)),
            stages: 3, repeats: 3, channels: 128,
        )",
    );
    Architecture::Stacked(Stacked { cell: Wiring::Matrix(matrix), ..network })
}

#[test]
fn nasbench101_networks_have_the_published_size() {
    let ops = NASBENCH101_OPS.map(read::<Op>);
    let rows = table("nasbench101_20k.csv.gz");
    assert_eq!(rows.len(), 20_001);
    rows.par_iter().step_by(STEP).for_each(|row| {
        let vertices: usize = row[1].parse().expect("a number");
        let bits: Vec<u8> = row[3].bytes().map(|bit| bit - b'0').collect();
        let above = |from: usize| bits[from * vertices + from + 1..(from + 1) * vertices].to_vec();
        let ops = row[4].bytes().map(|digit| ops[usize::from(digit - b'0')].clone()).collect();
        let matrix = Matrix::new((0..vertices - 1).map(above).collect(), ops).expect("a valid cell");
        let cost = nasbench101_network(matrix).graph(&CIFAR10).expect("fits").cost();
        assert_eq!(cost.params.to_string(), &row[10], "{}", &row[0]);
    });
}

/// Every adjacency of so many vertices with at most nine edges in which no vertex is dead.
fn full_matrices(vertices: usize, op: &Op) -> Vec<Vec<Vec<u8>>> {
    let pairs = vertices * (vertices - 1) / 2;
    let sparse = (0u32..1 << pairs).filter(|bits| bits.count_ones() <= 9);
    let rows = |bits: u32| {
        let mut bits = (0..pairs).map(|pair| (bits >> pair & 1) as u8);
        (1..vertices).rev().map(|length| bits.by_ref().take(length).collect()).collect::<Vec<Vec<u8>>>()
    };
    let full = |rows: &Vec<Vec<u8>>| {
        let reached = |to: usize| (0..to).any(|from| rows[from][to - from - 1] == 1);
        let leads = |from: usize| rows[from].contains(&1);
        (1..vertices).all(reached) && (0..vertices - 1).all(leads)
    };
    let mut unique = HashSet::new();
    let mut matrices: Vec<_> = sparse.map(rows).filter(full).collect();
    matrices.retain(|rows| unique.insert(matrix(rows, vec![op.clone(); vertices - 2])));
    matrices
}

fn matrix(rows: &[Vec<u8>], ops: Vec<Op>) -> String {
    Matrix::new(rows.to_vec(), ops).expect("a valid cell").cell().key()
}

/// Keys of one skeleton under all labels: two labelled cells can only be equal where their skeletons are.
fn unique_labellings(rows: &[Vec<u8>], ops: &[Op; 3]) -> usize {
    let slots = rows.len() - 1;
    let labels =
        |number: usize| (0..slots).map(|slot| ops[number / 3usize.pow(slot as u32) % 3].clone()).collect();
    (0..3usize.pow(slots as u32)).map(|number| matrix(rows, labels(number))).collect::<HashSet<_>>().len()
}

#[test]
fn nasbench101_has_423624_unique_cells() {
    let ops = NASBENCH101_OPS.map(read::<Op>);
    let most = if cfg!(debug_assertions) { 6 } else { 7 };
    let skeletons: Vec<_> = (2..=most).flat_map(|vertices| full_matrices(vertices, &ops[0])).collect();
    let cells: usize = skeletons.par_iter().map(|rows| unique_labellings(rows, &ops)).sum();
    // The benchmark's paper gives the number for 7 vertices; 64,542 of the cells have at most 6.
    assert_eq!(cells, if cfg!(debug_assertions) { 64_542 } else { 423_624 });
}

const PNAS_OPS: [&str; 8] = [
    "SepConv(kernel: 3)",
    "SepConv(kernel: 5)",
    "SepConv(kernel: 7)",
    "FactorizedConv(kernel: 7)",
    "SkipConnect(reduction: Strided)",
    "AvgPool(kernel: 3)",
    "MaxPool(kernel: 3)",
    "ReluConvBn(kernel: 3, dilation: 2)",
];

/// All blocks at a place in a PNAS cell.
fn pnas_blocks(number: usize) -> Vec<Block> {
    let ops = PNAS_OPS.map(read::<Op>);
    let inputs = [BlockInput::PreviousCell, BlockInput::CellBefore]
        .into_iter()
        .chain((1..number).map(BlockInput::Block));
    let branches: Vec<_> =
        inputs.flat_map(|input| ops.iter().map(move |op| Branch { input, op: op.clone() })).collect();
    let pairs =
        branches.iter().flat_map(|left| branches.iter().map(move |right| (left.clone(), right.clone())));
    pairs.map(|(left, right)| Block { left, right }).collect()
}

#[test]
fn pnas_has_136_unique_cells_of_one_block_and_31620_of_two() {
    let key = |blocks: Vec<Block>| Blocks::try_from(blocks).expect("valid").cell().key();
    let (first, second) = (pnas_blocks(1), pnas_blocks(2));
    let ones: HashSet<_> = first.iter().map(|block| key(vec![block.clone()])).collect();
    assert_eq!((first.len(), ones.len()), (256, 136));
    let pairs = first.par_iter().flat_map_iter(|a| second.iter().map(|b| key(vec![a.clone(), b.clone()])));
    assert_eq!(pairs.collect::<HashSet<_>>().len(), 31_620);
}

/// The expansion step of a search scores some 300,000 cells a level, each known by its key.
#[test]
#[cfg(not(debug_assertions))]
fn keys_of_300_000_cells_of_five_blocks_take_seconds() {
    let mut rng = cellwright::Seed(0).stream(0, "cells");
    let blocks = [1, 2, 3, 4, 5].map(pnas_blocks);
    let mut cell = || {
        let blocks = blocks.iter().map(|all| all[rand::RngExt::random_range(&mut rng, 0..all.len())].clone());
        Blocks::try_from(blocks.collect::<Vec<_>>()).expect("valid")
    };
    let cells: Vec<_> = (0..300_000).map(|_| cell()).collect();
    let start = std::time::Instant::now();
    let keys: HashSet<_> = cells.par_iter().map(|blocks| blocks.cell().key()).collect();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} keys, {:.1} microseconds each on {} threads",
        keys.len(),
        seconds * 1e6 / 3e5,
        rayon::current_num_threads()
    );
    assert!(keys.len() > 299_000);
    assert!(seconds < 30.0, "{seconds} s");
}

const PNASNET5: &str = "Blocks([
    (left: (input: CellBefore, op: SepConv(kernel: 5)), right: (input: CellBefore, op: MaxPool(kernel: 3))),
    (left: (input: PreviousCell, op: SepConv(kernel: 7)), right: (input: PreviousCell, op: MaxPool(kernel: 3))),
    (left: (input: PreviousCell, op: SepConv(kernel: 5)), right: (input: PreviousCell, op: SepConv(kernel: 3))),
    (left: (input: Block(3), op: SepConv(kernel: 3)), right: (input: PreviousCell, op: MaxPool(kernel: 3))),
    (left: (input: CellBefore, op: SepConv(kernel: 3)), right: (input: PreviousCell, op: SkipConnect(reduction: Strided))),
])";

/// PNASNet-5 on ImageNet: two stem cells, then 3 N cells of which the first of each later stage takes the stride.
fn pnasnet5(stem: usize, repeats: usize, channels: usize) -> String {
    format!(
        "Stacked(
            stem: (channels: {stem}, stride: 2, cells: 2),
            cell: {PNASNET5},
            reduction: FirstCell,
            repeats: {repeats}, channels: {channels},
            head: (activation: Relu, dropout: 0.5),
        )"
    )
}

#[test]
fn pnasnet5_mobile_has_5_1_m_params_and_588_m_macs() {
    let cost = cost(IMAGENET, &pnasnet5(32, 3, 54));
    assert_eq!((cost.params, cost.macs), (5_063_347, 587_917_328));
}

#[test]
fn pnasnet5_large_has_86_1_m_params_and_25_0_g_macs() {
    let cost = cost(Task { input: (3, 331, 331), classes: 1001 }, &pnasnet5(96, 4, 216));
    assert_eq!((cost.params, cost.macs), (86_056_025, 25_006_025_700));
}

#[test]
fn darts_has_3_35_m_params() {
    let edge = |from: &str, op: &str| format!("(from: {from}, op: {op})");
    let (before, previous) = ("CellBefore", "PreviousCell");
    let (sep, skip, pool) = ("SepConv(kernel: 3)", "SkipConnect", "MaxPool(kernel: 3)");
    let cell = |nodes: [[String; 2]; 4]| {
        format!("ConcatEdges([{}])", nodes.map(|[a, b]| format!("[{a}, {b}],")).concat())
    };
    let normal = cell([
        [edge(before, sep), edge(previous, sep)],
        [edge(before, sep), edge(previous, sep)],
        [edge(previous, sep), edge(before, skip)],
        [edge(before, skip), edge("Node(1)", "DilConv(kernel: 3)")],
    ]);
    let reduction = cell([
        [edge(before, pool), edge(previous, pool)],
        [edge("Node(1)", skip), edge(previous, pool)],
        [edge(before, pool), edge("Node(1)", skip)],
        [edge("Node(1)", skip), edge(previous, pool)],
    ]);
    let network = format!(
        "Stacked(
            stem: (channels: 108), cell: {normal}, reduction: Cell({reduction}),
            stages: 3, repeats: 6, channels: 36,
        )"
    );
    // What the authors' code prints for their second-order cells, without the auxiliary head.
    assert_eq!(cost(CIFAR10, &network).params, 3_349_342);
}

#[test]
fn mobilenet_v2_has_3_5_m_params_and_300_m_macs() {
    let block = |expansion, channels, repeats, stride| {
        format!(
            "(op: MbConv(expansion: {expansion}), repeats: {repeats}, channels: {channels}, stride: {stride}),"
        )
    };
    let stages = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    let stages: String = stages.map(|(t, c, n, s)| block(t, c, n, s)).concat();
    let cost = cost(
        IMAGENET,
        &format!(
            "Staged(
                stem: (channels: 32, stride: 2, activation: Relu6),
                stages: [{stages}],
                head: (channels: 1280, activation: Relu6, dropout: 0.2),
            )"
        ),
    );
    assert_eq!((cost.params, cost.macs), (3_504_872, 300_774_272));
}

#[test]
fn efficientnet_v2_s_has_21_5_m_params() {
    let fused = |expansion| format!("FusedMbConv(expansion: {expansion}, activation: Silu)");
    let plain =
        |expansion| format!("MbConv(expansion: {expansion}, squeeze_excitation: 0.25, activation: Silu)");
    let stages = [
        (fused(1), 24, 2, 1),
        (fused(4), 48, 4, 2),
        (fused(4), 64, 4, 2),
        (plain(4), 128, 6, 2),
        (plain(6), 160, 9, 1),
        (plain(6), 256, 15, 2),
    ];
    let stages: String = stages
        .map(|(op, channels, repeats, stride)| {
            format!("(op: {op}, repeats: {repeats}, channels: {channels}, stride: {stride}),")
        })
        .concat();
    let cost = cost(
        Task { input: (3, 384, 384), classes: 1000 },
        &format!(
            "Staged(
                stem: (channels: 24, stride: 2, activation: Silu),
                stages: [{stages}],
                head: (channels: 1280, activation: Silu, dropout: 0.2),
            )"
        ),
    );
    assert_eq!(cost.params, 21_458_488);
}

#[test]
fn resnet50_has_25_6_m_params_and_resnet18_11_7_m() {
    let resnet = |op: &str, channels: [usize; 4], repeats: [usize; 4]| {
        let stages = [1, 2, 2, 2].iter().zip(channels).zip(repeats);
        let stages: String = stages
            .map(|((stride, channels), repeats)| {
                format!("(op: {op}, repeats: {repeats}, channels: {channels}, stride: {stride}),")
            })
            .collect();
        let pool = "(op: MaxPool(kernel: 3), repeats: 1, channels: 64, stride: 2),";
        let stem = "(channels: 64, kernel: 7, stride: 2, activation: Relu)";
        cost(IMAGENET, &format!("Staged(stem: {stem}, stages: [{pool}{stages}])")).params
    };
    assert_eq!(resnet("ResidualBlock", [64, 128, 256, 512], [2, 2, 2, 2]), 11_689_512);
    assert_eq!(resnet("BottleneckBlock", [256, 512, 1024, 2048], [3, 4, 6, 3]), 25_557_032);
}
