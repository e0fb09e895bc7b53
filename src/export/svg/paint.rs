//! Diagrams as SVG text.

use std::fmt::Write;

use super::text::{escape, width};
use crate::export::diagram::{Diagram, Item, Kind};
use crate::export::layout::{Layout, Piece, Point, Sketch};

const LABEL: f64 = 13.0;
const DETAIL: f64 = 11.0;
const PADDING: f64 = 13.0;
const LINE: f64 = 30.0;
const JOIN: f64 = 22.0;
/// From an arrow's tip to where its line ends.
const TIP: f64 = 6.0;

/// A diagram that has its places.
pub(super) struct Panel<'a> {
    diagram: &'a Diagram,
    sizes: Vec<(f64, f64)>,
    layout: Layout,
}

impl<'a> Panel<'a> {
    pub(super) fn of(diagram: &'a Diagram) -> Panel<'a> {
        let sizes: Vec<_> = diagram.items.iter().map(size).collect();
        let layout = Layout::of(&Sketch { sizes: sizes.clone(), edges: diagram.edges.clone() });
        Panel { diagram, sizes, layout }
    }

    pub(super) fn title(&self) -> &str {
        &self.diagram.title
    }

    pub(super) fn size(&self) -> (f64, f64) {
        (self.layout.width, self.layout.height)
    }

    /// Edges first, so that boxes lie over their ends.
    pub(super) fn paint(&self, out: &mut String) {
        let second = self.second_input();
        for piece in &self.layout.pieces {
            edge(piece, Some(piece.source) == second, out);
        }
        for ((item, size), place) in self.diagram.items.iter().zip(&self.sizes).zip(&self.layout.boxes) {
            paint(item, *size, *place, out);
        }
    }

    /// Where a cell reads two others, the second one's edges have a colour of their own.
    fn second_input(&self) -> Option<usize> {
        let reads: Vec<usize> = self.diagram.edges.iter().map(|edge| edge.1).collect();
        (0..self.sizes.len())
            .filter(|item| self.diagram.items[*item].kind == Kind::End && !reads.contains(item))
            .nth(1)
    }
}

fn size(item: &Item) -> (f64, f64) {
    if item.kind == Kind::Add {
        return (JOIN, JOIN);
    }
    let text = width(&item.label, LABEL).max(width(&item.detail, DETAIL));
    let height = if item.detail.is_empty() { LINE } else { LINE + DETAIL + 3.0 };
    ((text + 2.0 * PADDING).max(64.0), height)
}

fn edge(piece: &Piece, second: bool, out: &mut String) {
    let Piece { from, leaves, enters, to, arrives, .. } = *piece;
    let end = if arrives { to.y - TIP } else { to.y };
    let enters = enters.min(end);
    let bow = (leaves + enters) / 2.0;
    let (line, tip) = if second { ("edge second", "second-tip") } else { ("edge", "tip") };
    let (x, y) = (number(from.x), number(from.y));
    let _ = write!(out, r#"<path class="{line}" d="M{x} {y}V{}"#, number(leaves));
    let _ = write!(
        out,
        "C{x} {bow} {tx} {bow} {tx} {}V{}\"/>",
        number(enters),
        number(end),
        bow = number(bow),
        tx = number(to.x)
    );
    if arrives {
        let _ = write!(out, r#"<path class="{tip}" d="M{} {}l-4 -8h8z"/>"#, number(to.x), number(to.y));
    }
    out.push('\n');
}

fn paint(item: &Item, (width, height): (f64, f64), Point { x, y }: Point, out: &mut String) {
    let _ = write!(out, r#"<g class="box {}">"#, item.kind.name());
    if item.kind == Kind::Add {
        let (cx, cy) = (number(x), number(y));
        let _ = write!(out, r#"<circle cx="{cx}" cy="{cy}" r="{}"/>"#, number(JOIN / 2.0));
        let _ = writeln!(out, r#"<path d="M{cx} {}v11M{} {cy}h11"/></g>"#, number(y - 5.5), number(x - 5.5));
        return;
    }
    let radius = if matches!(item.kind, Kind::End | Kind::Concat) { height / 2.0 } else { 7.0 };
    let (left, top) = (number(x - width / 2.0), number(y - height / 2.0));
    let _ = write!(
        out,
        r#"<rect x="{left}" y="{top}" width="{}" height="{}" rx="{}"/>"#,
        number(width),
        number(height),
        number(radius)
    );
    let shift = if item.detail.is_empty() { 0.0 } else { -7.0 };
    line("label", &item.label, x, y + LABEL * 0.35 + shift, out);
    if !item.detail.is_empty() {
        line("detail", &item.detail, x, y + DETAIL * 0.35 + 9.0, out);
    }
    out.push_str("</g>\n");
}

/// A line of text with its baseline at `y`.
pub(super) fn line(class: &str, text: &str, x: f64, y: f64, out: &mut String) {
    let _ =
        write!(out, r#"<text class="{class}" x="{}" y="{}">{}</text>"#, number(x), number(y), escape(text));
}

/// A coordinate to a tenth of a pixel, without needless zeros.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_string()
}
