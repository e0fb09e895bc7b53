//! Parameters, multiply-adds and numbers of unique cells, against published figures.

use std::collections::HashSet;
use std::io::Read;

use cellwright::architecture::{Architecture, Matrix, Stacked, Wiring};
use cellwright::candidate::Task;
use cellwright::ir::Cost;
use cellwright::op::Op;
use rayon::prelude::*;
use ron::Options;
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

const CIFAR10: Task = Task { input: (3, 32, 32), classes: 10 };
const IMAGENET: Task = Task { input: (3, 224, 224), classes: 1000 };

fn read<T: DeserializeOwned>(text: &str) -> T {
    let extensions = Extensions::UNWRAP_VARIANT_NEWTYPES | Extensions::IMPLICIT_SOME;
    Options::default()
        .with_default_extension(extensions)
        .from_str(text)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn cost(text: &str, task: Task) -> Cost {
    read::<Architecture>(text).graph(&task).expect("the network fits its task").cost()
}

/// The rows of a shipped table, by column.
fn table(name: &str) -> Vec<csv::StringRecord> {
    let path = format!("{}/tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the table is shipped");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("the table is gzip");
    let rows = csv::Reader::from_reader(text.as_bytes()).into_records();
    rows.collect::<Result<_, _>>().expect("the table is CSV")
}

const NASBENCH201_OPS: [&str; 5] = [
    "Zero()",
    "SkipConnect()",
    "ReluConvBn(kernel: 1)",
    "ReluConvBn(kernel: 3)",
    "AvgPool(kernel: 3)",
];

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

#[test]
fn nasbench201_networks_have_the_published_size() {
    let base: Stacked = read(
        "(
            cell: Edges([[(from: PreviousCell, op: Zero())]]),
            reduction: Op(ResidualBlock(order: ReluConvBn, shortcut: AvgPool)),
            stages: 3, repeats: 5, channels: 16,
            head: (norm: true, activation: Relu),
        )",
    );
    let rows = table("nasbench201_cifar10.csv.gz");
    assert_eq!(rows.len(), 15_625);
    rows.par_iter().for_each(|row| {
        let cell = nasbench201(&row[2]);
        let network = Architecture::Stacked(Stacked { cell, ..base.clone() });
        let cost = network.graph(&CIFAR10).expect("fits").cost();
        assert_eq!(
            cost.params as f64 / 1e6,
            row[9].parse::<f64>().expect("params_m"),
            "params of {}",
            &row[1]
        );
        assert_eq!(cost.macs as f64 / 1e6, row[10].parse::<f64>().expect("macs_m"), "macs of {}", &row[1]);
    });
}

#[test]
fn nasbench201_has_5425_unique_cells() {
    let rows = table("nasbench201_cifar10.csv.gz");
    let keys: HashSet<_> =
        rows.par_iter().map(|row| nasbench201(&row[2]).cell().simplified().key()).collect();
    assert_eq!(keys.len(), 5_425);
}

const NASBENCH101_OPS: [&str; 3] =
    ["ConvBnRelu(kernel: 3)", "ConvBnRelu(kernel: 1)", "MaxPool(kernel: 3)"];

#[test]
fn nasbench101_networks_have_the_published_size() {
    let base: Stacked = read(
        "(
            stem: (channels: 128, activation: Relu),
            cell: Matrix(adjacency: [[1]], ops: []),
            reduction: Op(MaxPool(kernel: 2)),
            stages: 3, repeats: 3, channels: 128,
        )",
    );
    let ops: Vec<Op> = NASBENCH101_OPS.iter().map(|text| read(text)).collect();
    let rows = table("nasbench101_20k.csv.gz");
    assert_eq!(rows.len(), 20_001);
    rows.par_iter().for_each(|row| {
        let vertices: usize = row[1].parse().expect("vertices");
        let bits: Vec<u8> = row[3].bytes().map(|bit| bit - b'0').collect();
        let above = |from: usize| bits[from * vertices + from + 1..(from + 1) * vertices].to_vec();
        let ops = row[4].bytes().map(|digit| ops[usize::from(digit - b'0')].clone()).collect();
        let matrix = Matrix::new((0..vertices - 1).map(above).collect(), ops)
            .expect("the benchmark's cells are valid");
        let network = Architecture::Stacked(Stacked { cell: Wiring::Matrix(matrix), ..base.clone() });
        let cost = network.graph(&CIFAR10).expect("fits").cost();
        assert_eq!(cost.params.to_string(), &row[10], "params of {}", &row[0]);
    });
}
