//! `cellwright pace`.

use std::path::PathBuf;

use cellwright::device::Devices;
use cellwright::recipe::Precision;
use cellwright::space::Genotype;
use cellwright::{Candidate, Error, Result, Seed, Space};
use clap::Args;

use super::{at_least_one, number};

/// Measures how fast candidates of a space train here, on pictures that mean nothing: one alone, or many that share a
/// device.
#[derive(Args, Debug)]
// Without training there is nothing to read most of it for.
#[cfg_attr(not(feature = "train"), allow(dead_code))]
pub struct Pace {
    /// The space file.
    space: PathBuf,
    /// The candidate to train; random ones without it.
    #[arg(long, value_parser = str::parse::<Genotype>)]
    genotype: Option<Genotype>,
    /// How many random candidates.
    #[arg(long, default_value_t = 1, conflicts_with = "genotype", value_parser = at_least_one::<u64>)]
    candidates: u64,
    /// How many train at the same time.
    #[arg(long, default_value_t = 1, value_parser = at_least_one::<usize>)]
    workers: usize,
    /// Processor threads of each.
    #[arg(long, default_value_t = 1, value_parser = at_least_one::<usize>)]
    threads: usize,
    /// Timed steps of each.
    #[arg(long, default_value_t = 100, value_parser = at_least_one::<u32>)]
    steps: u32,
    /// Where to train: cpu, cuda or cuda:1.
    #[arg(long, value_name = "DEVICE", default_value = "cpu", value_parser = str::parse::<Devices>)]
    device: Devices,
    /// The precision instead of the recipe's: Fp32, Tf32 or Bf16.
    #[arg(long, value_parser = precision)]
    precision: Option<Precision>,
    /// Pictures a step instead of the recipe's.
    #[arg(long, value_parser = at_least_one::<usize>)]
    batch: Option<usize>,
    /// Source of all randomness.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = number)]
    seed: u64,
    /// Write all numbers of the first step to this safetensors file, for another framework to check, and time nothing.
    #[arg(long, value_name = "FILE")]
    numbers: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn precision(word: &str) -> Result<Precision, &'static str> {
    match word {
        "Fp32" => Ok(Precision::Fp32),
        "Tf32" => Ok(Precision::Tf32),
        "Bf16" => Ok(Precision::Bf16),
        _ => Err("the precisions are `Fp32`, `Tf32` and `Bf16`"),
    }
}

impl Pace {
    /// The candidates with what was typed in place of what their recipes say.
    fn drawn(&self, space: &Space) -> Result<Vec<Candidate>> {
        let genotypes = match &self.genotype {
            Some(genotype) => vec![genotype.clone()],
            None => (0..self.candidates)
                .map(|index| space.random(&mut Seed(self.seed).stream(index, "sample")))
                .collect::<Result<_, _>>()?,
        };
        let candidate = |genotype: &Genotype| {
            let program = space.materialize(genotype)?;
            let mut candidate = space.candidate(&program)?.ok_or_else(|| Error::Usage {
                problem: format!("{} is no space of networks", self.space.display()),
                hint: "only what trains has a pace".into(),
            })?;
            let recipe = &mut candidate.training;
            recipe.precision = self.precision.unwrap_or(recipe.precision);
            recipe.batch = self.batch.unwrap_or(recipe.batch);
            Ok(candidate)
        };
        genotypes.iter().map(candidate).collect()
    }

    #[cfg(not(feature = "train"))]
    pub fn run(self) -> Result<()> {
        self.drawn(&Space::load(&self.space)?)?;
        Err(Error::WithoutTraining)
    }

    #[cfg(feature = "train")]
    pub fn run(self) -> Result<()> {
        measured::run(&self)
    }
}

#[cfg(feature = "train")]
mod measured {
    use cellwright::device::Device;
    use cellwright::ir::Graph;
    use cellwright::nn::{self, Field, NnError, cores};
    use cellwright::recipe::Recipe;
    use cellwright::{Error, Result, Seed, Space};
    use serde_json::json;

    use super::Pace;
    use crate::cli::{out, text};

    pub fn run(asked: &Pace) -> Result<()> {
        let space = Space::load(&asked.space)?;
        let device = asked.device.find()?[0];
        let candidates: Vec<(Graph, Recipe)> = asked
            .drawn(&space)?
            .into_iter()
            .map(|candidate| Ok((candidate.graph()?, candidate.training)))
            .collect::<Result<_>>()?;
        let field = Field { candidates: &candidates, device, threads: asked.threads, seed: Seed(asked.seed) };
        match &asked.numbers {
            Some(path) => nn::write_numbers(&field, path).map_err(refused),
            None => time(asked, &field, device),
        }
    }

    fn time(asked: &Pace, field: &Field, device: Device) -> Result<()> {
        let pace = field.time(asked.workers, asked.steps).map_err(refused)?;
        let an_hour = 3600.0 * pace.candidates as f64 / pace.seconds;
        if asked.json {
            return out::line(json!({
                "device": device.to_string(),
                "cores": cores(),
                "candidates": pace.candidates,
                "workers": asked.workers,
                "steps": pace.steps,
                "seconds": pace.seconds,
                "candidates_an_hour": an_hour,
                "start_seconds": pace.start_seconds,
                "step_seconds": pace.step_seconds,
            }));
        }
        out::print(format_args!(
            "{} on {device}, {} at a time, {} each after a start of {:.2} s (median)\n\
             {:.2} ms a step of one (median), {:.1} s in all, {} candidates an hour at this length\n",
            text::plural(pace.candidates as u64, "candidate"),
            asked.workers,
            text::plural(pace.steps, "step"),
            pace.start_seconds,
            pace.step_seconds * 1e3,
            pace.seconds,
            text::count(an_hour),
        ))
    }

    fn refused(error: NnError) -> Error {
        Error::Usage { problem: error.to_string(), hint: "choose another candidate, batch or device".into() }
    }
}
