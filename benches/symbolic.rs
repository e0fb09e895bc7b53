//! How fast the symbolic layer is on one core, on NASNet's space of 42 decisions, beside PyGlove on the same space.
//!
//! `cargo bench --no-default-features --bench symbolic` prints both; PyGlove is measured where `python3` can import it
//! (`pip install pyglove==0.4.5`). The figures of record are in `results/symbolic.md`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cellwright::symbolic::{Program, Value, to_value};
use cellwright::{Candidate, Seed, Space};

/// How long each figure is measured.
const SPAN: Duration = Duration::from_secs(3);

fn main() {
    let space = Space::load("benches/nasnet.ron").expect("the benchmark's space is valid");
    assert_eq!(space.decisions().len(), 42);
    println!("decisions               {:>12}", space.decisions().len());
    println!("genotypes               {:>12}", space.size().to_string());
    let rng = &mut Seed(1).stream(0, "benchmark");
    let parent = space.random(rng).expect("a genotype");
    let candidate: Candidate = space.decode(&parent).expect("a candidate");
    let mut program = Program::new(&candidate).expect("a program");

    println!("\ncellwright {}", env!("CARGO_PKG_VERSION"));
    tell("samples materialised", || space.random(rng).and_then(|genotype| space.materialize(&genotype)));
    tell("samples decoded", || space.random(rng).and_then(|genotype| space.decode::<Candidate>(&genotype)));
    tell("mutations", || space.mutate(&parent, rng));
    let mut channels = 0;
    tell("type-checked rebinds", || {
        channels = channels % 64 + 1;
        program.rebind("architecture.channels", channels)
    });
    let (written, text) = (to_value(&candidate).expect("a program"), program.value().to_string());
    tell("encodings", || space.encode(&written));
    tell("programs printed", || Ok::<_, ()>(written.to_string()));
    tell("programs parsed", || text.parse::<Value>());

    println!("\npyglove");
    let run = std::process::Command::new("python3")
        .args(["benches/measure_pyglove.py", &SPAN.as_secs().to_string()])
        .output();
    match run {
        Ok(run) if run.status.success() => print!("{}", String::from_utf8_lossy(&run.stdout)),
        Ok(run) => println!("not measured: {}", String::from_utf8_lossy(&run.stderr).trim()),
        Err(error) => println!("not measured: {error}"),
    }
}

/// Prints how often `work` runs in a second of processor time.
fn tell<T, E: std::fmt::Debug>(what: &str, mut work: impl FnMut() -> Result<T, E>) {
    let (start, before, mut count) = (Instant::now(), processor_time(), 0u64);
    while start.elapsed() < SPAN {
        for _ in 0..64 {
            black_box(work().expect(what));
        }
        count += 64;
    }
    let worked = match (before, processor_time()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed(),
    };
    println!("{what:<24}{:>12.0} /s", count as f64 / worked.as_secs_f64());
}

/// What this thread has had of a processor so far: on a busy machine that is less than the time that has passed. Known
/// on Linux only.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}
