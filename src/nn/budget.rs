//! A device's memory and a machine's cores, shared by the trainings that run beside each other.
//!
//! Running out of memory cannot be caught, so every training asks for what it is estimated to take before it starts. One
//! that would not even fit alone is refused; one that does not fit beside the others waits for one of them to end.
//! On the CPU a training also waits for its threads: more of them than cores make each slower and none faster. Waiting
//! changes no figure: all a training depends on is its own.

use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use super::{NnError, free_bytes};
use crate::device::Device;

/// How much of a GPU's free memory is given out: its pools are never packed without gaps.
const GIVEN_OUT: f64 = 0.9;
/// How often one that waits looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// What a training takes for as long as this is held.
#[derive(Debug)]
pub struct Share<'a> {
    budget: &'a Budget,
    device: Device,
    bytes: u64,
    threads: usize,
}

impl Share<'static> {
    /// Waits until `bytes` of the device's memory, and on the CPU `threads` cores, are free; `None` where `should_stop`
    /// says so before.
    ///
    /// # Errors
    /// [`NnError::Unfit`] where the device has less memory than that with nothing else on it.
    pub fn take(
        device: Device,
        bytes: u64,
        threads: usize,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Option<Share<'static>>, NnError> {
        static BUDGET: LazyLock<Budget> = LazyLock::new(|| Budget::new(cores()));
        let free = || match device {
            Device::Cpu => free_bytes(),
            Device::Cuda(_) => device.memory().map(|bytes| (bytes as f64 * GIVEN_OUT) as u64),
        };
        BUDGET.take(device, bytes, threads, &free, should_stop)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut taken = self.budget.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(on) = taken.get_mut(&self.device) {
            on.trainings -= 1;
            on.bytes -= self.bytes;
            on.threads -= self.threads;
        }
        self.budget.changed.notify_all();
    }
}

/// Logical processors that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What is taken of every device.
#[derive(Debug)]
struct Budget {
    cores: usize,
    taken: Mutex<HashMap<Device, Taken>>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    trainings: usize,
    bytes: u64,
    threads: usize,
    /// Bytes that were free when the first of those that run now began.
    capacity: Option<u64>,
}

impl Budget {
    fn new(cores: usize) -> Budget {
        Budget { cores, taken: Mutex::default(), changed: Condvar::new() }
    }

    fn take(
        &self,
        device: Device,
        bytes: u64,
        threads: usize,
        free: &dyn Fn() -> Option<u64>,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Option<Share<'_>>, NnError> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let on = taken.entry(device).or_default();
            if on.trainings == 0 {
                on.capacity = free();
                if let Some(capacity) = on.capacity.filter(|capacity| bytes > *capacity) {
                    return Err(too_big(device, bytes, capacity));
                }
            }
            let fits = on.trainings == 0
                || (on.capacity.is_none_or(|capacity| on.bytes.saturating_add(bytes) <= capacity)
                    && (device != Device::Cpu || on.threads + threads <= self.cores));
            if fits {
                on.trainings += 1;
                on.bytes += bytes;
                on.threads += threads;
                return Ok(Some(Share { budget: self, device, bytes, threads }));
            }
            if should_stop() {
                return Ok(None);
            }
            let waited = self.changed.wait_timeout(taken, LOOK);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn too_big(device: Device, bytes: u64, free: u64) -> NnError {
    NnError::Unfit(format!(
        "out of memory: training needs about {} MiB, {} MiB of {device} are free; a smaller `batch` or network may fit",
        bytes >> 20,
        free >> 20
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    const GPU: Device = Device::Cuda(0);

    fn take(
        budget: &Budget,
        device: Device,
        bytes: u64,
        threads: usize,
    ) -> Result<Option<Share<'_>>, NnError> {
        budget.take(device, bytes, threads, &|| Some(100 << 20), &|| true)
    }

    #[test]
    fn what_never_fits_is_refused_and_what_does_not_fit_now_waits() {
        let budget = Budget::new(4);
        let said = take(&budget, GPU, 101 << 20, 1).unwrap_err().to_string();
        assert!(said.contains("needs about 101 MiB, 100 MiB of cuda:0 are free"), "{said}");
        let first = take(&budget, GPU, 60 << 20, 1).unwrap();
        assert!(take(&budget, GPU, 60 << 20, 1).unwrap().is_none(), "it would have to wait");
        let beside = take(&budget, GPU, 40 << 20, 1).unwrap();
        assert!(beside.is_some());
        assert!(
            take(&budget, Device::Cuda(1), 60 << 20, 1).unwrap().is_some(),
            "another device is another matter"
        );
        drop((first, beside));
        assert!(take(&budget, GPU, 100 << 20, 1).unwrap().is_some());
    }

    #[test]
    fn cores_are_not_promised_twice() {
        let budget = Budget::new(2);
        let first = take(&budget, Device::Cpu, 1, 1).unwrap();
        let second = take(&budget, Device::Cpu, 1, 1).unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(take(&budget, Device::Cpu, 1, 1).unwrap().is_none());
        assert!(take(&budget, GPU, 1, 8).unwrap().is_some(), "a GPU's trainings wait for no core");
        drop((first, second));
        assert!(take(&budget, Device::Cpu, 1, 8).unwrap().is_some(), "alone it has what there is");
    }

    #[test]
    fn as_many_run_at_once_as_fit_and_all_have_their_turn() {
        let budget = Budget::new(3);
        let (running, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let share = budget.take(Device::Cpu, 1, 1, &|| None, &|| false).unwrap();
                    assert!(share.is_some());
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    std::thread::sleep(Duration::from_millis(2));
                    running.fetch_sub(1, SeqCst);
                    done.fetch_add(1, SeqCst);
                    drop(share);
                });
            }
        });
        assert_eq!(done.load(SeqCst), 12);
        assert!(most.load(SeqCst) <= 3, "{most:?}");
    }
}
