//! `cellwright sample`.

use std::path::PathBuf;

use cellwright::{Result, Seed};
use clap::Args;
use serde_json::json;

use super::open::Searched;
use super::{at_least_one, number, out, tell, text};

/// Draws candidates at random, all constraints held, and prints their genotypes and what they cost. What cannot be
/// built costs nothing, and standard error says why it cannot.
#[derive(Args, Debug)]
pub struct Sample {
    /// The space file.
    space: PathBuf,
    /// How many.
    #[arg(long, short, default_value_t = 1, allow_negative_numbers = true, value_parser = at_least_one::<u64>)]
    number: u64,
    /// Source of all randomness.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = number)]
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
        let Searched { space, .. } = Searched::load(&self.space)?;
        let mut rows = vec![["genotype", "params", "macs"].map(String::from).to_vec()];
        for index in 0..self.number {
            let genotype = space.random(&mut Seed(self.seed).stream(index, "sample"))?;
            let cost = match space.cost(&genotype) {
                Ok(cost) => cost,
                Err(problem) => {
                    tell(&format!("{genotype} cannot be built: {problem}\n"));
                    None
                }
            };
            let (params, macs) = (cost.map(|cost| cost.params), cost.map(|cost| cost.macs));
            if self.programs {
                out::line(format_args!("// {genotype}\n{}\n", space.materialize(&genotype)?.pretty()))?;
            } else if self.json {
                let genotype = genotype.to_string();
                out::line(json!({"genotype": genotype, "params": params, "macs": macs}))?;
            } else {
                let figure = |count: Option<u64>| count.map_or("-".into(), |count| text::count(count as f64));
                rows.push(vec![genotype.to_string(), figure(params), figure(macs)]);
            }
        }
        if !self.json && !self.programs {
            out::print(text::columns(&rows))?;
        }
        if space.rejections() > 0 {
            tell(&format!("{} draws broke a constraint and were drawn again\n", space.rejections()));
        }
        Ok(())
    }
}
