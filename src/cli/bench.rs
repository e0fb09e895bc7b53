//! `cellwright bench`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use cellwright::bench::{self, Crew, Results, Section};
use cellwright::{Error, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{at_least_one, deliver, out, tell, text};

/// Runs every algorithm of an experiment file on every space from every seed, and tells the mean regret with its 95 %
/// interval, ranks, and what a proposal costs. The same file gives the same figures, however many threads there are.
#[derive(Args, Debug)]
pub struct Bench {
    /// The experiment file.
    file: PathBuf,
    /// Seeds of each algorithm on each space.
    #[arg(long, allow_negative_numbers = true, value_parser = at_least_one::<u64>)]
    seeds: Option<u64>,
    /// Trials of a run at most; budgets beyond them are left out.
    #[arg(long, allow_negative_numbers = true, value_parser = at_least_one::<u64>)]
    queries: Option<u64>,
    /// Only this algorithm, by its label; may be given several times.
    #[arg(long, value_name = "LABEL")]
    algorithm: Vec<String>,
    /// Only this space, by its label or its file's name; may be given several times.
    #[arg(long, value_name = "LABEL")]
    space: Vec<String>,
    /// Runs at the same time; all processors without it.
    #[arg(long, allow_negative_numbers = true, value_parser = at_least_one::<usize>)]
    threads: Option<usize>,
    /// Print Markdown.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print one JSON object, with the regret of every seed and the curves.
    #[arg(long)]
    json: bool,
    /// Write the report as Markdown and JSON, and its plots as SVG, into this folder.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// A line for the report's head, such as the machine; may be given several times.
    #[arg(long, value_name = "LINE")]
    note: Vec<String>,
}

impl Bench {
    pub fn run(mut self) -> Result<()> {
        let mut bench = bench::Bench::load(&self.file)?.only(&self.algorithm, &self.space)?;
        bench.seeds = self.seeds.unwrap_or(bench.seeds);
        if let Some(queries) = self.queries {
            bench = bench.with_queries(queries);
        }
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
        let progress = Progress::new();
        let crew = Crew { threads: threads.unwrap_or(1), progress: &|ended, of| progress.hear(ended, of) };
        let start = Instant::now();
        let results = bench.run(crew);
        progress.finish();
        let results = results?;
        let threads = if crew.threads == 1 { "1 thread".into() } else { format!("{} threads", crew.threads) };
        let took = format!("took: {:.0} s on {threads}", start.elapsed().as_secs_f64());
        self.note.push(took);
        if let Some(folder) = &self.output {
            self.keep(&results, folder)?;
        }
        match (self.markdown, self.json) {
            (true, _) => out::print(bench::markdown(&results, &self.note, self.output.is_some())),
            (_, true) => out::line(json(&results)),
            _ => out::print(results.sections().iter().map(table).collect::<String>()),
        }
    }

    /// Writes the report, its figures and its plots.
    fn keep(&self, results: &Results, folder: &Path) -> Result<()> {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let mut files = vec![
            (format!("{stem}.md"), bench::markdown(results, &self.note, true)),
            (format!("{stem}.json"), format!("{}\n", json(results))),
        ];
        files.extend(results.plots());
        for (name, content) in files {
            let path = folder.join(name);
            let failed = |source| Error::Io { path: path.display().to_string(), source };
            deliver::save(&path, |out| out.write_all(content.as_bytes()).map_err(failed))?;
            tell(&format!("wrote {}\n", path.display()));
        }
        Ok(())
    }
}

fn json(results: &Results) -> serde_json::Value {
    serde_json::to_value(results).unwrap_or_default()
}

fn table(section: &Section) -> String {
    format!("{}\n{}\n", section.heading, text::columns(&section.rows))
}

/// A bar at a terminal, a line for every tenth in a log.
struct Progress {
    bar: Option<ProgressBar>,
    tenths: AtomicUsize,
}

impl Progress {
    fn new() -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("comparing {bar:28} {pos}/{len} runs, {eta} left");
            ProgressBar::new(0).with_style(style.expect("a valid template").progress_chars("=> "))
        });
        Progress { bar, tenths: AtomicUsize::new(0) }
    }

    fn hear(&self, ended: usize, of: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(of as u64);
            bar.set_position(ended as u64);
        } else {
            let tenth = ended * 10 / of.max(1);
            if self.tenths.fetch_max(tenth, Relaxed) < tenth {
                tell(&format!("{ended} of {of} runs have ended\n"));
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
