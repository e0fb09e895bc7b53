//! How many pictures a second the loader brings to 224x224, cropped, mirrored and normalised.
//!
//!     cargo bench --bench loader -- FOLDER [--rand-augment] [--threads N] [--epochs N] [--size N]
//!
//! Prints one line of JSON. The first epoch is not counted; `benches/loader/run` sets it beside torchvision.

use std::time::Instant;

use cellwright::Seed;
use cellwright::data::{Set, Source};
use cellwright::loader::{Agenda, Loader, Look, Stock, Tables, usual_threads};
use cellwright::recipe::{Augment, RandAugment, Recipe};

const BATCH: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let after = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let number = |name: &str, usual: usize| after(name).map_or(Ok(usual), |word| word.parse());
    let folder = words.first().ok_or("which folder of class folders?")?;
    let (threads, epochs) = (number("--threads", usual_threads())?, number("--epochs", 3)?);
    let size = number("--size", 224)?;
    let ops = if words.iter().any(|word| word == "--rand-augment") { 2 } else { 0 };

    let source = Source::Stream { path: folder.into(), size, channels: 3, middle: 0.875 };
    let Set::Files(data) = source.open()? else { return Err("a stream is files".into()) };
    let rand_augment = RandAugment { ops, magnitude: 9.0 };
    let augment = Augment { resized_crop: 0.08, flip: true, rand_augment, ..Augment::default() };
    let recipe = Recipe { augment, ..Recipe::default() };
    let looks = vec![Look::training(&recipe.stage(0, 1), (size, size)); epochs + 1];
    let agenda = Agenda::training(Seed(0), data.train.len(), BATCH, 0, looks);
    let steps = data.train.len() / BATCH.min(data.train.len());
    let tables = Tables::<f32>::new(&data.mean, &data.deviation);
    let mut loader = Loader::start(Stock::Files(data.train), agenda, tables, threads, 4)?;
    let mut went_through = |steps: usize| {
        let mut batches = (0..steps).map_while(|_| loader.next());
        batches.try_fold(0, |sum, batch| batch.pixels[0].is_finite().then_some(sum + batch.labels.len()))
    };
    went_through(steps);
    let start = Instant::now();
    let pictures = went_through(steps * epochs).ok_or("a pixel is no number")?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"pictures\": {pictures}, \"seconds\": {seconds:.4}, \"rate\": {:.1}}}",
        pictures as f64 / seconds
    );
    Ok(())
}
