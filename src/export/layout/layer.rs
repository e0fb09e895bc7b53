//! Layers and bends.

use std::collections::BTreeSet;

use super::{BEND, Sketch, distinct};

/// A box, or a bend of an edge that crosses a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vertex {
    pub(super) layer: usize,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) bend: bool,
    /// The box itself, or the one that the bent edge comes from.
    pub(super) source: usize,
}

/// A graph whose links all lead from one layer to the next.
#[derive(Clone, Debug)]
pub(super) struct Layered {
    /// The boxes by their own index, then the bends.
    pub(super) vertices: Vec<Vertex>,
    /// `(above, below)`.
    pub(super) links: BTreeSet<(usize, usize)>,
    /// The vertices of every layer from left to right.
    pub(super) layers: Vec<Vec<usize>>,
}

impl Layered {
    pub(super) fn of(sketch: &Sketch) -> Layered {
        let edges = distinct(&sketch.edges);
        let layers = layers(sketch.sizes.len(), &edges);
        let vertex = |(source, (width, height)): (usize, &(f64, f64))| Vertex {
            layer: layers[source],
            width: *width,
            height: *height,
            bend: false,
            source,
        };
        let vertices: Vec<Vertex> = sketch.sizes.iter().enumerate().map(vertex).collect();
        let count = layers.iter().max().map_or(0, |last| last + 1);
        let mut layered = Layered { vertices, links: BTreeSet::new(), layers: vec![Vec::new(); count] };
        for source in 0..layers.len() {
            layered.link(source, edges.range((source, 0)..(source + 1, 0)).map(|edge| edge.1));
        }
        for (index, vertex) in layered.vertices.iter().enumerate() {
            layered.layers[vertex.layer].push(index);
        }
        layered
    }

    /// Leads from a box to its readers, over bends that all of them share.
    fn link(&mut self, source: usize, readers: impl Iterator<Item = usize>) {
        let first = self.vertices[source].layer;
        let mut trunk = vec![source];
        for reader in readers {
            let steps = self.vertices[reader].layer - first;
            while trunk.len() < steps {
                let bend =
                    Vertex { layer: first + trunk.len(), width: BEND, height: 0.0, bend: true, source };
                self.vertices.push(bend);
                self.links.insert((trunk[trunk.len() - 1], self.vertices.len() - 1));
                trunk.push(self.vertices.len() - 1);
            }
            self.links.insert((trunk[steps - 1], reader));
        }
    }

    /// The vertices that lead to one.
    pub(super) fn above(&self, vertex: usize) -> impl Iterator<Item = usize> {
        self.links.iter().filter(move |link| link.1 == vertex).map(|link| link.0)
    }

    /// The vertices that one leads to.
    pub(super) fn below(&self, vertex: usize) -> impl Iterator<Item = usize> {
        self.links.range((vertex, 0)..(vertex + 1, 0)).map(|link| link.1)
    }
}

/// Longest paths from the end: a box stands just above the first of its readers, but what reads nothing stands on top.
fn layers(count: usize, edges: &BTreeSet<(usize, usize)>) -> Vec<usize> {
    let mut to_end = vec![0; count];
    for (from, to) in edges.iter().rev() {
        to_end[*from] = to_end[*from].max(to_end[*to] + 1);
    }
    let deepest = to_end.iter().max().copied().unwrap_or(0);
    let reads: BTreeSet<usize> = edges.iter().map(|edge| edge.1).collect();
    to_end
        .iter()
        .enumerate()
        .map(|(index, end)| if reads.contains(&index) { deepest - end } else { 0 })
        .collect()
}
