//! `cellwright must self-train`.

use std::path::PathBuf;

use cellwright::must::SelfTraining;
use clap::Args;

use super::{Place, Voice, out, text};

/// Repeats teacher, pseudo labels and student: in each round the last network labels the pictures, and a new one learns
/// from those and from people's labels. The same command goes on where it was stopped.
#[derive(Args, Debug)]
pub struct SelfTrain {
    /// The plan: `SelfTraining(teacher: (..), pictures: .., rounds: 2)`.
    plan: PathBuf,
    /// The folder to write.
    #[arg(long, default_value = "self-training", value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Print JSON lines on standard output.
    #[arg(long)]
    json: bool,
}

impl SelfTrain {
    pub fn run(self) -> cellwright::Result<()> {
        let plan = SelfTraining::load(&self.plan)?;
        let mut voice = Voice::new();
        let taught = plan.run(&self.out, self.place.find()?, &mut |news| voice.hear(news));
        voice.finish();
        let taught = taught?;
        if self.json {
            return taught.iter().enumerate().try_for_each(|(round, one)| {
                out::line(serde_json::json!({ "round": round, "metrics": one.scores() }))
            });
        }
        let names: Vec<String> = taught[0].scores().keys().cloned().collect();
        let head = std::iter::once("round".to_string()).chain(names.iter().cloned()).collect();
        let row = |(round, scores): (usize, &cellwright::trial::Metrics)| {
            let figures = names
                .iter()
                .map(|name| scores.get(name).map_or("-".into(), |value| text::metric(name, *value)));
            std::iter::once(round.to_string()).chain(figures).collect()
        };
        let rows = taught.iter().map(|one| one.scores()).enumerate().map(row);
        out::print(text::columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()))
    }
}
