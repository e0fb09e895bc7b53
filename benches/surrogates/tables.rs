//! Tables of real trainings with the spaces that they are of.

use std::io::Read;

use cellwright::{Genotype, Space};

/// A table: candidates with what they are worth.
pub struct Table {
    pub name: &'static str,
    pub space: Space,
    pub rows: Vec<Row>,
}

/// One candidate.
pub struct Row {
    pub genotype: Genotype,
    /// What single trainings gave, more is better.
    pub readings: Vec<f64>,
    /// How large a cell it is, in connections that carry something or in vertices; 0 where sizes mean nothing.
    pub size: usize,
}

impl Row {
    /// The mean of all readings.
    pub fn truth(&self) -> f64 {
        self.readings.iter().sum::<f64>() / self.readings.len() as f64
    }
}

/// All tables that are shipped.
pub fn all() -> Vec<Table> {
    vec![
        nasbench201(&records("nasbench201_cifar10.csv.gz")),
        nasbench101(&records("nasbench101_20k.csv.gz")),
        ecnas(&records("ecnas_4v.csv.gz")),
        fcnet(&records("fcnet_protein_structure.csv.gz")),
    ]
}

type Record = csv::StringRecord;

fn records(name: &str) -> Vec<Record> {
    let path = format!("{}/tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the table can be read");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("the table is gzip");
    csv::Reader::from_reader(text.as_bytes())
        .into_records()
        .collect::<Result<_, _>>()
        .expect("the table is CSV")
}

fn shipped(name: &str) -> Space {
    Space::load(format!("{}/search_spaces/{name}", env!("CARGO_MANIFEST_DIR"))).expect("loads")
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Digits as a genotype of choices.
fn digits(text: &str) -> Genotype {
    let digits: Vec<String> = text.chars().map(String::from).collect();
    digits.join(",").parse().expect("digits")
}

fn nasbench201(records: &[Record]) -> Table {
    let row = |record: &Record| Row {
        genotype: digits(&record[2]),
        readings: (3..6)
            .filter_map(|column| number(&record[column]))
            .map(|percent| percent / 100.0)
            .collect(),
        // 0 stands for no connection.
        size: record[2].bytes().filter(|op| *op != b'0').count(),
    };
    Table {
        name: "NAS-Bench-201, CIFAR-10",
        space: shipped("nasbench201.ron"),
        rows: records.iter().map(row).collect(),
    }
}

fn nasbench101(records: &[Record]) -> Table {
    let row = |record: &Record| Row {
        genotype: matrix(&record[3], &record[4], 7),
        readings: vec![number(&record[8]).expect("an accuracy")],
        size: record[4].len() + 2,
    };
    Table {
        name: "NAS-Bench-101, 20,001 rows",
        space: shipped("nasbench101.ron"),
        rows: records.iter().map(row).collect(),
    }
}

/// A matrix of fewer vertices stands among `most` with its output last.
fn matrix(adjacency: &str, ops: &str, most: usize) -> Genotype {
    let vertices = ops.len() + 2;
    let place = |vertex: usize| if vertex == vertices - 1 { most - 1 } else { vertex };
    let mut rows: Vec<Vec<&str>> = (0..most - 1).map(|from| vec!["0"; most - 1 - from]).collect();
    for (at, _) in adjacency.bytes().enumerate().filter(|(_, bit)| *bit == b'1') {
        let (from, to) = (place(at / vertices), place(at % vertices));
        rows[from][to - from - 1] = "1";
    }
    let mut inner: Vec<String> = ops.chars().map(String::from).collect();
    inner.resize(most - 2, "0".into());
    let rows: Vec<String> = rows.iter().map(|row| format!("[{}]", row.join(","))).collect();
    format!("{},[{}]", rows.join(","), inner.join(",")).parse().expect("a matrix")
}

fn ecnas(records: &[Record]) -> Table {
    let text = "Space(program: (
        task: (input: (3, 32, 32), classes: 10),
        architecture: Stacked(
            stem: (channels: 128, activation: Relu),
            cell: Matrix(
                adjacency: [ManyOf(3, [0, 1]), ManyOf(2, [0, 1]), ManyOf(1, [0, 1])],
                ops: ManyOf(2, [ConvBnRelu(kernel: 3), ConvBnRelu(kernel: 1), MaxPool(kernel: 3)]),
            ),
            reduction: Op(MaxPool(kernel: 2)), stages: 3, repeats: 3, channels: 128,
        ),
    ), constraints: [Params(max: 49979274)])";
    let mut rows: Vec<(String, Row)> = Vec::new();
    for record in records.iter().filter(|record| &record[5] == "108") {
        let reading = number(&record[8]).expect("an accuracy");
        match rows.iter_mut().find(|(hash, _)| *hash == record[0]) {
            Some((_, row)) => row.readings.push(reading),
            None => rows.push((
                record[0].to_string(),
                Row { genotype: matrix(&record[2], &record[3], 4), readings: vec![reading], size: 0 },
            )),
        }
    }
    let space = Space::from_ron("ecnas.ron", text).expect("a space");
    Table { name: "EC-NAS, 4 vertices", space, rows: rows.into_iter().map(|(_, row)| row).collect() }
}

fn fcnet(records: &[Record]) -> Table {
    let text =
        "(activation1: OneOf([Relu, Tanh]), activation2: OneOf([Relu, Tanh]), batch: OneOf([8, 16, 32, 64]),
        dropout1: OneOf([0.0, 0.3, 0.6]), dropout2: OneOf([0.0, 0.3, 0.6]),
        learning_rate: OneOf([5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1]), schedule: OneOf([Cosine, Const]),
        units1: OneOf([16, 32, 64, 128, 256, 512]), units2: OneOf([16, 32, 64, 128, 256, 512]))";
    let row = |record: &Record| Row {
        genotype: digits(&record[0]),
        readings: (1..5).filter_map(|column| number(&record[column])).map(|error| -error).collect(),
        size: 0,
    };
    let space = Space::untyped(&text.parse().expect("a tree")).expect("a space");
    Table { name: "FC-Net, protein structure", space, rows: records.iter().map(row).collect() }
}
