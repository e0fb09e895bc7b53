//! Time on one core.

use std::time::Instant;

/// What `work` gives, and the microseconds of processor time that it takes: the least of so many times, so that neither
/// other programs nor cold caches count. The clock on the wall where the system does not tell processor time.
pub fn microseconds<T: Send>(times: usize, work: impl Fn() -> T + Sync) -> (T, f64) {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    alone.install(|| {
        let once = || {
            let (start, before) = (Instant::now(), nanoseconds_so_far());
            let done = work();
            let spent = match (before, nanoseconds_so_far()) {
                (Some(before), Some(after)) => (after - before) as f64 / 1e3,
                _ => start.elapsed().as_secs_f64() * 1e6,
            };
            (done, spent)
        };
        (1..times).fold(once(), |least, _| {
            let next = once();
            if next.1 < least.1 { next } else { least }
        })
    })
}

/// Of this thread, where Linux tells it.
fn nanoseconds_so_far() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}
