//! `cellwright show`.

use std::path::{Path, PathBuf};

use cellwright::candidate::Candidate;
use cellwright::export::{Format, Model};
use cellwright::ir::Graph;
use cellwright::space::hyper::Scale;
use cellwright::space::{Decision, DecisionKind};
use cellwright::{Error, Genotype, Result, Seed, Space};
use clap::Args;
use serde_json::json;

use super::open::Searched;
use super::{deliver, number, open, out, tell, text};

/// Prints the space's size and decisions, and one of its candidates: the program, its layers with shapes, params and
/// MACs, and a drawing of its cell.
#[derive(Args, Debug)]
pub struct Show {
    /// The space file.
    space: PathBuf,
    /// The candidate to show; a random one without it.
    #[arg(long, allow_hyphen_values = true)]
    genotype: Option<String>,
    /// Which random candidate.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = number)]
    seed: u64,
    /// Draw the candidate's cell into this SVG file.
    #[arg(long)]
    svg: Option<PathBuf>,
    /// Print the candidate's layers, too.
    #[arg(long)]
    layers: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub fn run(self) -> Result<()> {
        let searched = Searched::load(&self.space)?;
        let (space, genotype) = (&searched.whole, self.genotype(&searched.space)?);
        let program = space.materialize(&genotype)?;
        let candidate = space.candidate(&program)?;
        let graph = candidate.as_ref().map(Candidate::graph).transpose().map_err(|problem| Error::Usage {
            problem: format!("candidate {genotype} cannot be built: {problem}"),
            hint: "choose another by `--genotype` or `--seed`; a search records such a candidate as failed"
                .into(),
        })?;
        if let Some(path) = &self.svg {
            let candidate = candidate.as_ref().ok_or_else(|| deliver::no_network("an SVG drawing"))?;
            self.draw(space, &genotype, candidate, path)?;
        }
        if self.json {
            return out::line(json(&searched, &genotype, graph.as_ref()));
        }
        out::line(summary(&searched))?;
        let heading = format!("candidate {genotype}");
        out::line(format_args!("{}\n{}", heading.trim_end(), program.pretty()))?;
        match &graph {
            Some(graph) => self.network(graph),
            None => Ok(()),
        }
    }

    /// What a network costs, and its layers where they are asked for.
    fn network(&self, graph: &Graph) -> Result<()> {
        let cost = graph.cost();
        out::line(format_args!(
            "\n{} params, {} multiply-adds, {}B of activations a picture, {} layers deep",
            text::count(cost.params as f64),
            text::count(cost.macs as f64),
            text::count(cost.activation_bytes as f64),
            cost.depth,
        ))?;
        if self.layers { out::print(format_args!("\n{graph}")) } else { Ok(()) }
    }

    fn genotype(&self, space: &Space) -> Result<Genotype> {
        let Some(text) = &self.genotype else {
            return Ok(space.random(&mut Seed(self.seed).stream(0, "sample"))?);
        };
        let genotype = text.parse().and_then(|genotype| space.validate(&genotype).map(|()| genotype));
        genotype.map_err(|problem| Error::Usage {
            problem: problem.to_string(),
            hint: format!(
                "a genotype belongs to one space: `cellwright sample {}` prints some of this one",
                self.space.display()
            ),
        })
    }

    fn draw(&self, space: &Space, genotype: &Genotype, candidate: &Candidate, path: &Path) -> Result<()> {
        let (program, graph, text) = (space.materialize(genotype)?, candidate.graph()?, genotype.to_string());
        let model = Model {
            name: open::name(space),
            candidate,
            program: &program,
            graph: &graph,
            weights: None,
            classes: &[],
            mean: &[],
            deviation: &[],
            accuracy: None,
            genotype: Some(&text),
        };
        let format: Format = "svg".parse()?;
        deliver::save(path, |out| format.export(&model, out).map_err(Error::from))?;
        tell(&format!("wrote {}\n", path.display()));
        Ok(())
    }
}

/// A program that is no network has no cost.
fn json(searched: &Searched, genotype: &Genotype, graph: Option<&Graph>) -> serde_json::Value {
    let space = &searched.whole;
    let decisions: Vec<_> = space.decisions().iter().map(described).collect();
    let cost = graph.map(Graph::cost);
    json!({
        "name": space.name(), "size": space.size().to_string(),
        "searched": searched.space.size().to_string(), "decisions": decisions,
        "genotype": genotype.to_string(), "params": cost.map(|cost| cost.params),
        "macs": cost.map(|cost| cost.macs), "activation_bytes": cost.map(|cost| cost.activation_bytes),
        "depth": cost.map(|cost| cost.depth),
    })
}

/// A decision: its candidates, or a number's ends and scale.
fn described(decision: &Decision) -> serde_json::Value {
    let mut described = json!({"id": decision.id, "choices": decision.labels});
    match decision.kind {
        DecisionKind::Int { low, high } => {
            described["low"] = low.into();
            described["high"] = high.into();
        }
        DecisionKind::Float { low, high, scale } => {
            described["low"] = low.into();
            described["high"] = high.into();
            described["scale"] = format!("{scale:?}").into();
        }
        DecisionKind::Choice { .. } | DecisionKind::Many { .. } => {}
    }
    described
}

fn summary(searched: &Searched) -> String {
    let space = &searched.whole;
    let mut rows = vec![];
    for decision in space.decisions() {
        rows.push(vec![decision.id.clone(), choices(decision), condition(space, decision)]);
    }
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    let heading = if rows.is_empty() { "" } else { "\ndecisions\n" };
    let lines = rows.iter().map(|row| format!("  {:<width$}  {}{}\n", row[0], row[1], row[2]));
    let about = space.about().map(|about| format!("{about}\n")).unwrap_or_default();
    let bounds = space.constraints().iter().map(|constraint| format!("  {constraint}\n")).collect::<String>();
    let bounds = if bounds.is_empty() { bounds } else { format!("constraints\n{bounds}") };
    format!(
        "{}: {}, {}\n{about}{heading}{}{bounds}",
        open::name(space),
        searched.size(),
        text::plural(rows.len(), "decision"),
        lines.collect::<String>(),
    )
}

/// What can be decided: the candidates' labels, the first few of many, or a number's ends.
fn choices(decision: &Decision) -> String {
    const SHOWN: usize = 10;
    let many = match decision.kind {
        DecisionKind::Int { low, high } => return format!("{low} to {high}"),
        DecisionKind::Float { low, high, scale: Scale::Linear } => return format!("{low} to {high}"),
        DecisionKind::Float { low, high, scale } => return format!("{low} to {high}, {scale:?}"),
        DecisionKind::Many { k, distinct: true, .. } => format!("{k} different of "),
        DecisionKind::Many { k, .. } => format!("{k} of "),
        DecisionKind::Choice { .. } => String::new(),
    };
    let more = decision.labels.len().saturating_sub(SHOWN);
    let shown = decision.labels.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" | ");
    if more > 0 { format!("{many}{shown} | {more} more") } else { many + &shown }
}

fn condition(space: &Space, decision: &Decision) -> String {
    match decision.conditions.as_slice() {
        [] => String::new(),
        [only] => format!("   (with some of {})", space.decisions()[only.decision].id),
        many => format!("   (under {} conditions)", many.len()),
    }
}
