//! A search in a program that owns the loop: ask for a trial, evaluate it with code of one's own, tell what came of it.
//!
//! ```sh
//! cargo run --release --no-default-features --example own_loop
//! ```
//!
//! A classifier by nearest neighbours learns the embedded digits; how many neighbours it asks, how distances are measured
//! and how votes are weighed is what is searched for, by the default algorithm, which is told of one reading each.

use cellwright::data::{Pictures, Source};
use cellwright::search::{Algorithm, AskTell, Auto};
use cellwright::space::hyper::{float, int, one_of};
use cellwright::symbolic::to_value;
use cellwright::trial::Objective;
use cellwright::{Result, Seed, Space};
use serde::{Deserialize, Serialize};

/// What is searched for: a type of this program's own.
#[derive(Debug, Serialize, Deserialize)]
struct Neighbours {
    /// How many have a vote.
    count: usize,
    /// Differences of pixels are raised to this power: 2 is the distance as the crow flies.
    power: f64,
    votes: Votes,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Votes {
    Even,
    ByDistance,
}

fn main() -> Result<()> {
    let digits = Source::Digits.load()?;
    let space = Space::of(&Neighbours { count: 5, power: 2.0, votes: Votes::Even })?
        .rebind("count", int(1, 30))?
        .rebind("power", float(0.5, 6.0).log())?
        .rebind("votes", one_of([to_value(&Votes::Even)?, to_value(&Votes::ByDistance)?]))?;
    let default = Algorithm::Auto(Auto::default());
    let objective = Objective::Maximize("accuracy".into());
    let mut search = AskTell::new(&space, &default, objective).with_trials(20).with_seed(Seed(1));

    while let Some(trial) = search.ask()? {
        let neighbours: Neighbours = space.decode(&trial.proposal.genotype)?;
        let accuracy = neighbours.accuracy(&digits.train, &digits.validation);
        println!("{}  {accuracy:.4}  {neighbours:?}", trial.id);
        search.tell(trial.id, [("accuracy", accuracy)])?;
    }

    let best = search.incumbent().expect("twenty trials were told");
    let best: Neighbours = space.decode(&best.proposal.genotype)?;
    println!("believed best: {best:?}, test accuracy {:.4}", best.accuracy(&digits.train, &digits.test));
    Ok(())
}

impl Neighbours {
    /// The share of pictures that are recognised by those that are known.
    fn accuracy(&self, known: &Pictures, asked: &Pictures) -> f64 {
        let right = (0..asked.len()).filter(|at| self.class(known, asked.picture(*at)) == asked.labels[*at]);
        right.count() as f64 / asked.len() as f64
    }

    fn class(&self, known: &Pictures, picture: &[u8]) -> u16 {
        let distance = |at: usize| {
            let pixels = known.picture(at).iter().zip(picture);
            pixels.map(|(a, b)| (f64::from(a.abs_diff(*b)) / 255.0).powf(self.power)).sum::<f64>()
        };
        let mut near: Vec<(f64, u16)> = (0..known.len()).map(|at| (distance(at), known.labels[at])).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut votes = [0.0; 10];
        for (distance, class) in &near[..self.count] {
            votes[usize::from(*class)] += match self.votes {
                Votes::Even => 1.0,
                Votes::ByDistance => 1.0 / (distance + 1e-9),
            };
        }
        (0..10).max_by(|a, b| votes[usize::from(*a)].total_cmp(&votes[usize::from(*b)])).unwrap_or(0)
    }
}
