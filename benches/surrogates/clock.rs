//! Time on one core.

use std::time::Instant;

/// Systems tell a thread's processor time in steps of some milliseconds: what is shorter is done so often that it lasts
/// this long.
const LEAST: f64 = 5e4;

/// What `work` gives, and the microseconds of processor time that it takes: the least of so many times, so that neither
/// other programs nor cold caches count. The clock on the wall where the system does not tell processor time.
pub fn microseconds<T: Send>(times: usize, work: impl Fn() -> T + Sync) -> (T, f64) {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let repeated = |count: u32| {
        let (start, before) = (Instant::now(), nanoseconds_so_far());
        let done = (1..count).fold(work(), |_, _| work());
        let spent = match (before, nanoseconds_so_far()) {
            (Some(before), Some(after)) => (after - before) as f64 / 1e3,
            _ => start.elapsed().as_secs_f64() * 1e6,
        };
        (done, spent)
    };
    alone.install(|| {
        let mut count = 1;
        let (mut done, mut least) = repeated(count);
        while least < LEAST {
            count *= 2;
            (done, least) = repeated(count);
        }
        for _ in 1..times {
            least = repeated(count).1.min(least);
        }
        (done, least / f64::from(count))
    })
}

/// Of this thread, where Linux tells it.
fn nanoseconds_so_far() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}
