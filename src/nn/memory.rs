//! Whether a training fits into memory: asked before it starts, for running out of it cannot be caught.

use crate::ir::Graph;

/// Bytes of a training step's tensors for every byte of activations: what backward keeps, its gradients, and copies.
const ACTIVATION_COPIES: u64 = 4;
/// Copies of every parameter: value, leaf, gradient twice (as it is and joined), two moments, update.
const PARAMETER_COPIES: u64 = 7;

/// A generous estimate of what training `graph` with `batch` pictures a step takes, in bytes, without the pictures.
pub fn estimated_bytes(graph: &Graph, batch: usize) -> u64 {
    let cost = graph.cost();
    let activations = cost.activation_bytes.saturating_mul(batch as u64).saturating_mul(ACTIVATION_COPIES);
    activations.saturating_add(cost.params.saturating_mul(4 * PARAMETER_COPIES))
}

/// What the machine (or the process's control group) has left, in bytes; `None` where the system does not say.
pub fn free_bytes() -> Option<u64> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    match (machine, group_limit()) {
        (Some(machine), Some(group)) => Some(machine.min(group)),
        (machine, group) => machine.or(group),
    }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// What is left of the control group's limit, as containers set it.
fn group_limit() -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    let bytes = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let cached = read("memory.stat").and_then(|text| cached(&text)).unwrap_or(0);
    Some(bytes("memory.max")?.saturating_sub(bytes("memory.current")?.saturating_sub(cached)))
}

/// Files that are counted as taken, and given up as soon as anybody needs the memory.
fn cached(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("inactive_file "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Conv, Primitive, Shape};

    #[test]
    fn reads_what_linux_says() {
        let text = "MemTotal:       24000000 kB\nMemFree:  1 kB\nMemAvailable:   21000000 kB\n";
        assert_eq!(available(text), Some(21_000_000 * 1024));
        assert_eq!(available("MemTotal: 5 kB"), None);
        assert_eq!(cached("anon 7\nactive_file 3\ninactive_file 4096\nfile 9\n"), Some(4096));
        assert_eq!(cached("anon 7\n"), None);
    }

    #[test]
    fn a_huge_network_is_seen_as_huge() {
        let mut graph = Graph::new(Shape::Map { channels: 3, height: 4096, width: 4096 });
        let x = graph.add(Primitive::Conv(Conv::square(1024, 3)), &[graph.input()]).unwrap();
        graph.set_output(x);
        assert!(estimated_bytes(&graph, 64) > 1 << 40);
        assert!(free_bytes().is_none_or(|free| estimated_bytes(&graph, 64) > free));
    }
}
