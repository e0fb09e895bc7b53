//! Work done ahead by threads of its own, handed out in order, and never more of it than a bound.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Results of numbered tasks, in the tasks' order. Dropping it ends the threads.
pub(super) struct Queue<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// There may be a task to do.
    work: Condvar,
    /// There may be results to take.
    ready: Condvar,
    /// Tasks in all.
    count: u64,
    /// Most tasks begun and not taken.
    ahead: u64,
}

struct State<T> {
    /// The next task to begin.
    next: u64,
    /// How many were taken; `done` starts there.
    taken: u64,
    done: VecDeque<Option<T>>,
    /// How many at the front of `done` are there.
    ready: usize,
    /// How many the taker waits for.
    wanted: usize,
    closed: bool,
    /// Most tasks that were ever begun and not taken.
    peak: u64,
}

impl<T: Send + 'static> Queue<T> {
    /// Does the tasks 0 to `count` on `threads` threads, at most `ahead` of them at a time begun and not taken. Each thread
    /// has a `state` of its own. A task must not panic.
    pub(super) fn start<S>(
        threads: usize,
        ahead: usize,
        count: u64,
        state: impl Fn() -> S + Send + Sync + 'static,
        task: impl Fn(&mut S, u64) -> T + Send + Sync + 'static,
    ) -> io::Result<Queue<T>> {
        let fresh =
            State { next: 0, taken: 0, done: VecDeque::new(), ready: 0, wanted: 0, closed: false, peak: 0 };
        let shared = Arc::new(Shared {
            state: Mutex::new(fresh),
            work: Condvar::new(),
            ready: Condvar::new(),
            count,
            ahead: ahead.max(1) as u64,
        });
        let mut queue = Queue { shared, threads: Vec::new() };
        let work = Arc::new((state, task));
        for number in 0..threads.max(1) {
            let (shared, work) = (queue.shared.clone(), work.clone());
            let run = move || {
                let mut state = work.0();
                while let Some(next) = shared.begin() {
                    let result = work.1(&mut state, next);
                    shared.end(next, result);
                }
            };
            queue.threads.push(Builder::new().name(format!("picture loader {number}")).spawn(run)?);
        }
        Ok(queue)
    }

    /// The next `most` results, once all of them are there; fewer at the end. `most` may not be above `ahead`.
    pub(super) fn take(&self, most: usize) -> Vec<T> {
        let mut state = self.shared.lock();
        let left = (self.shared.count - state.taken).min(most as u64).min(self.shared.ahead) as usize;
        state.wanted = left;
        while state.ready < left {
            state = self.shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.ready -= left;
        state.taken += left as u64;
        let taken: Vec<T> = state.done.drain(..left).flatten().collect();
        drop(state);
        self.shared.work.notify_all();
        taken
    }

    /// Most tasks that were ever begun and not taken.
    pub(super) fn peak(&self) -> u64 {
        self.shared.lock().peak
    }
}

impl<T> Shared<T> {
    // Nothing panics while it holds the lock, so that a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task, once there is room for its result; `None` when all are begun or nobody listens any more.
    fn begin(&self) -> Option<u64> {
        let mut state = self.lock();
        loop {
            if state.closed || state.next == self.count {
                return None;
            }
            if state.next < state.taken + self.ahead {
                let next = state.next;
                state.next += 1;
                state.peak = state.peak.max(state.next - state.taken);
                state.done.push_back(None);
                return Some(next);
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self, task: u64, result: T) {
        let mut state = self.lock();
        let place = (task - state.taken) as usize;
        state.done[place] = Some(result);
        while state.done.get(state.ready).is_some_and(Option::is_some) {
            state.ready += 1;
        }
        if state.ready >= state.wanted {
            self.ready.notify_one();
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        // A thread that panicked has said so already.
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Task n gives n * n, late ones sooner than early ones.
    fn squares(threads: usize, ahead: usize, count: u64) -> Queue<u64> {
        let uneven = |_: &mut (), task: u64| {
            std::thread::sleep(Duration::from_micros(300 * (task * 7 % 5)));
            task * task
        };
        Queue::start(threads, ahead, count, || (), uneven).unwrap()
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 7] {
            let queue = squares(threads, 10, 53);
            let all: Vec<u64> = std::iter::from_fn(|| Some(queue.take(8)).filter(|part| !part.is_empty()))
                .flatten()
                .collect();
            assert_eq!(all, (0..53).map(|task| task * task).collect::<Vec<_>>());
            assert!(queue.take(8).is_empty());
        }
    }

    #[test]
    fn no_more_than_the_bound_is_ever_held() {
        let queue = squares(6, 9, 200);
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(1));
            queue.take(5);
        }
        assert!((5..=9).contains(&queue.peak()), "{}", queue.peak());
        let state = queue.shared.lock();
        assert!(state.done.len() <= 9 && state.next <= state.taken + 9);
    }

    #[test]
    fn dropping_it_ends_the_threads_at_once() {
        let queue = squares(3, 4, u64::MAX);
        queue.take(4);
        let shared = Arc::downgrade(&queue.shared);
        drop(queue);
        assert!(shared.upgrade().is_none(), "no thread holds it any more");
    }
}
