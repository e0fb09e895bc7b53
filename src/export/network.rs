//! The whole network as a column: stem, stages, head, each with the shape that it hands on.

use super::diagram::{Diagram, Item, Kind};
use crate::architecture::{Architecture, Reduction};
use crate::candidate::Candidate;
use crate::ir::{Graph, Shape};

/// A part of the network: what stands under one name at the top of the scopes.
struct Part<'a> {
    /// `stem`, `cells.3`, `stages.1.0`, `layers.2`, `head`.
    name: &'a str,
    input: Shape,
    output: Shape,
}

impl Diagram {
    /// The network from the pictures to the classes; equal parts in a row are one box.
    pub(super) fn of_network(candidate: &Candidate, graph: &Graph) -> Diagram {
        let start =
            Item { label: "input".into(), detail: sizes(graph.shape(graph.input())), kind: Kind::End };
        let mut runs: Vec<(usize, Item)> = vec![(1, start)];
        for part in parts(graph) {
            let (label, kind) = describe(&candidate.architecture, &part);
            let detail =
                if part.output == graph.shape(graph.output()) { String::new() } else { sizes(part.output) };
            let item = Item { label, detail, kind };
            match runs.last_mut() {
                Some((count, last)) if *last == item => *count += 1,
                _ => runs.push((1, item)),
            }
        }
        let label = format!("{} classes", candidate.task.classes);
        runs.push((1, Item { label, detail: String::new(), kind: Kind::End }));
        let items: Vec<Item> = runs.into_iter().map(|(count, item)| item.repeated(count)).collect();
        let edges = (1..items.len()).map(|index| (index - 1, index)).collect();
        Diagram { title: "network".into(), items, edges }
    }
}

impl Item {
    fn repeated(mut self, count: usize) -> Item {
        if count > 1 {
            self.label = format!("{count} × {}", self.label);
        }
        self
    }
}

fn parts(graph: &Graph) -> Vec<Part<'_>> {
    let mut parts: Vec<Part> = Vec::new();
    for (node, live) in graph.nodes().iter().zip(graph.live()).skip(1) {
        let name = node.scope.split('/').next().unwrap_or_default();
        match parts.last_mut() {
            Some(part) if part.name == name => part.output = node.shape,
            last if live => {
                let input = last.map_or(graph.shape(graph.input()), |part| part.output);
                parts.push(Part { name, input, output: node.shape });
            }
            _ => {}
        }
    }
    parts
}

fn describe(architecture: &Architecture, part: &Part) -> (String, Kind) {
    let place = part.name.split_once('.');
    let number = place.and_then(|(_, place)| place.split('.').next()?.parse::<usize>().ok());
    let op = match (architecture, place, number) {
        (Architecture::Staged(staged), Some(("stages", _)), Some(number)) => {
            staged.stages.get(number).map(|stage| &stage.op)
        }
        (Architecture::Sequential(ops), Some(("layers", _)), Some(number)) => ops.get(number),
        (Architecture::Stacked(stacked), Some(("cells", _)), _) => match &stacked.reduction {
            Reduction::Op(op) if part.halves() => Some(op),
            Reduction::Cell(_) if part.halves() => return ("reduction cell".into(), Kind::Cell),
            Reduction::Cell(_) => return ("normal cell".into(), Kind::Cell),
            _ if part.halves() => return ("cell at stride 2".into(), Kind::Cell),
            _ => return ("cell".into(), Kind::Cell),
        },
        (_, None, _) if part.name == "stem" => return ("stem".into(), Kind::Convolution),
        (_, None, _) if part.name == "head" => return ("head".into(), Kind::Linear),
        _ => None,
    };
    op.map_or_else(|| (part.name.replace('_', " "), Kind::Pointwise), |op| (op.label(), Kind::of(op)))
}

impl Part<'_> {
    fn halves(&self) -> bool {
        let rows = |shape| if let Shape::Map { height, .. } = shape { height } else { 1 };
        rows(self.output) < rows(self.input)
    }
}

fn sizes(shape: Shape) -> String {
    shape.sizes().iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ")
}
