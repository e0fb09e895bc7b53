//! `cellwright sample`.

use std::path::PathBuf;

use cellwright::{Result, Seed, Space};
use clap::Args;
use serde_json::json;

use super::text;

/// Draws candidates at random, all constraints held, and prints their genotypes and what they cost.
#[derive(Args, Debug)]
pub struct Sample {
    /// The space file.
    space: PathBuf,
    /// How many.
    #[arg(long, short, default_value_t = 1)]
    number: u64,
    /// Source of all randomness.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print whole programs in RON instead of genotypes.
    #[arg(long, conflicts_with = "json")]
    programs: bool,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

impl Sample {
    pub fn run(self) -> Result<()> {
        let space = Space::load(&self.space)?;
        let mut rows = vec![["genotype", "params", "macs"].map(String::from).to_vec()];
        for index in 0..self.number {
            let genotype = space.random(&mut Seed(self.seed).stream(index, "sample"))?;
            let cost = space.cost(&genotype)?.unwrap_or_default();
            if self.programs {
                println!("// {genotype}\n{}\n", space.materialize(&genotype)?.pretty());
            } else if self.json {
                println!(
                    "{}",
                    json!({"genotype": genotype.to_string(), "params": cost.params, "macs": cost.macs})
                );
            } else {
                rows.push(vec![
                    genotype.to_string(),
                    text::count(cost.params as f64),
                    text::count(cost.macs as f64),
                ]);
            }
        }
        if !self.json && !self.programs {
            print!("{}", text::columns(&rows));
        }
        if space.rejections() > 0 {
            eprintln!("{} draws broke a constraint and were drawn again", space.rejections());
        }
        Ok(())
    }
}
