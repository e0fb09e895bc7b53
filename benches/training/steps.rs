//! One half of `benches/training/run`: trains a candidate on random pictures, a few steps whenever it is told to.
//!
//! `cargo bench --features train --bench training -- CANDIDATE.ron STEPS` prints the network as JSON, a node a line, and
//! an empty line; then, for every line that it reads, the seconds that the next STEPS steps took.

use std::io::{BufRead, stdin};
use std::time::Instant;

use cellwright::data::Pictures;
use cellwright::nn::Training;
use cellwright::symbolic::{Sources, from_value};
use cellwright::{Candidate, Seed};
use rand::RngExt;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    let [_, path, steps] = &arguments[..] else { return Err("needs CANDIDATE.ron and STEPS".into()) };
    let steps: usize = steps.parse()?;
    let candidate: Candidate = from_value(&Sources::default().read(path, &std::fs::read_to_string(path)?)?)?;
    let graph = candidate.graph()?;
    for (node, live) in graph.nodes().iter().zip(graph.live()) {
        let inputs: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
        println!("{}", serde_json::json!({ "primitive": node.primitive, "inputs": inputs, "live": live }));
    }
    println!();
    let pictures = pictures(&candidate, steps * candidate.training.batch);
    let channels = candidate.task.input.0;
    let training = Training {
        graph: &graph,
        recipe: &candidate.training,
        epochs: 1 << 20,
        whole: 1 << 20,
        parent: None,
        seed: Seed(0),
        smaller: &[],
        train: (&pictures).into(),
        loaders: 1,
        validation: None,
        normal: (&vec![0.5; channels], &vec![0.25; channels]),
        device: Default::default(),
        checkpoint: None,
    };
    let mut lines = stdin().lock().lines();
    if lines.next().is_none() {
        return Ok(());
    }
    let mut start = Instant::now();
    // An epoch is as many steps as were asked for.
    let stopped = training.run(&mut |_| {
        println!("{}", start.elapsed().as_secs_f64());
        let more = lines.next().is_some();
        start = Instant::now();
        more
    });
    match stopped {
        Err(cellwright::nn::NnError::Stopped) => Ok(()),
        other => {
            Err(format!("the training ended by itself: {:?}", other.map(|trained| trained.curve.len()))
                .into())
        }
    }
}

fn pictures(candidate: &Candidate, count: usize) -> Pictures {
    let (channels, height, width) = candidate.task.input;
    let mut rng = Seed(0).stream(0, "pictures");
    let pixels = (0..count * channels * height * width).map(|_| rng.random::<u8>()).collect();
    let labels = (0..count).map(|_| rng.random_range(0..candidate.task.classes as u16)).collect();
    Pictures::new(pixels, labels, candidate.task.input)
}
