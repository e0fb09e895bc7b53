//! A drawing of the network for people: its cells, or the column of its stages, in any browser and README.

mod paint;
mod text;

use std::fmt::Write as _;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::diagram::Diagram;
use super::{ExportError, Exporter, Model};
use paint::{Panel, line, number};

const MARGIN: f64 = 28.0;
const BETWEEN_PANELS: f64 = 56.0;
/// What the caption takes above the panels.
const CAPTION: f64 = 62.0;
/// What a panel's title takes above it.
const PANEL_TITLE: f64 = 30.0;
const NAME: f64 = 19.0;
const FACTS: f64 = 13.0;
/// Names are cut to this many pixels.
const LONGEST: f64 = 720.0;
/// Panels wider than this together stand one above the other.
const WIDEST: f64 = 1000.0;

/// Writes `network.svg`: light or dark as the reader's screen is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Svg {}

impl Exporter for Svg {
    fn export(&self, model: &Model, out: &mut dyn Write) -> Result<(), ExportError> {
        let drawing = draw(&model.diagrams(), model.name, &model.caption());
        Ok(out.write_all(drawing.as_bytes())?)
    }

    fn extension(&self) -> &'static str {
        "svg"
    }
}

/// The panels under the caption, on a card.
fn draw(diagrams: &[Diagram], name: &str, caption: &str) -> String {
    let panels: Vec<Panel> = diagrams.iter().map(Panel::of).collect();
    let (name, caption) = (text::fit(name, NAME, LONGEST), text::fit(caption, FACTS, LONGEST));
    let (places, (panels_width, height)) = arrange(&panels);
    let width = panels_width.max(text::width(&name, NAME) * 1.06).max(text::width(&caption, FACTS));

    let mut out = head(&name, width + 2.0 * MARGIN, CAPTION + height + 2.0 * MARGIN);
    line("name", &name, MARGIN, MARGIN + NAME * 0.8, &mut out);
    line("facts", &caption, MARGIN, MARGIN + 40.0, &mut out);
    out.push('\n');
    for (panel, (x, y)) in panels.iter().zip(places) {
        let (left, top) = (MARGIN + (width - panels_width) / 2.0 + x, MARGIN + CAPTION + y);
        let _ = write!(out, r#"<g transform="translate({} {})">"#, number(left), number(top + PANEL_TITLE));
        line("panel", panel.title(), 0.0, 10.0 - PANEL_TITLE, &mut out);
        out.push('\n');
        panel.paint(&mut out);
        out.push_str("</g>\n");
    }
    out + "</svg>\n"
}

/// Where the panels stand, and what they take together: cells side by side, or one above the other where that would be
/// too wide, and the last one, the network, to the right of them.
fn arrange(panels: &[Panel]) -> (Vec<(f64, f64)>, (f64, f64)) {
    let cells = panels.len().saturating_sub(1);
    let beside = panels[..cells].iter().map(|panel| panel.size().0 + BETWEEN_PANELS).sum::<f64>() <= WIDEST;
    let (mut places, mut next, mut all) = (Vec::new(), (0.0, 0.0), (0.0_f64, 0.0_f64));
    for (index, panel) in panels.iter().enumerate() {
        let (width, height) = (panel.size().0, panel.size().1 + PANEL_TITLE);
        places.push(next);
        all = (all.0.max(next.0 + width), all.1.max(next.1 + height));
        let right = beside || index + 1 == cells;
        next = if right { (all.0 + BETWEEN_PANELS, 0.0) } else { (0.0, all.1 + BETWEEN_PANELS) };
    }
    (places, all)
}

fn head(name: &str, width: f64, height: f64) -> String {
    let name = text::escape(name);
    let (width, height, style) = (number(width.ceil()), number(height.ceil()), include_str!("style.css"));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>{name}</title>
<style>
{style}</style>
<rect class="card" x="0.5" y="0.5" width="{}" height="{}" rx="14"/>
"#,
        number(width.parse::<f64>().unwrap_or_default() - 1.0),
        number(height.parse::<f64>().unwrap_or_default() - 1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::diagram::{Item, Kind};

    fn diagram(title: &str, labels: &[&str]) -> Diagram {
        let item =
            |label: &&str| Item { label: label.to_string(), detail: String::new(), kind: Kind::Separable };
        let edges = (1..labels.len()).map(|index| (index - 1, index)).collect();
        Diagram { title: title.to_string(), items: labels.iter().map(item).collect(), edges }
    }

    #[test]
    fn a_drawing_is_plain_svg() {
        let drawing = draw(&[diagram("cell", &["sep conv 5x5", "sep conv 3x3"])], "winner", "948 params");
        let (_, body) = drawing.split_once("</style>\n").expect("a style sheet");
        insta::assert_snapshot!(body, @r#"
        <rect class="card" x="0.5" y="0.5" width="168" height="237" rx="14"/>
        <text class="name" x="28" y="43.2">winner</text><text class="facts" x="28" y="68">948 params</text>
        <g transform="translate(28 120)"><text class="panel" x="0" y="-20">cell</text>
        <path class="edge" d="M56.1 30V30C56.1 42 56.1 42 56.1 54V54"/><path class="tip" d="M56.1 60l-4 -8h8z"/>
        <g class="box separable"><rect x="0" y="0" width="112.2" height="30" rx="7"/><text class="label" x="56.1" y="19.6">sep conv 5x5</text></g>
        <g class="box separable"><rect x="0" y="60" width="112.2" height="30" rx="7"/><text class="label" x="56.1" y="79.5">sep conv 3x3</text></g>
        </g>
        </svg>
        "#);
    }

    #[test]
    fn names_cannot_break_out_of_their_elements() {
        let nasty = "</text><script>alert('1')</script> & \"\u{0}\u{1b}";
        let drawing = draw(&[diagram(nasty, &[nasty])], nasty, nasty);
        assert!(!drawing.contains("<script"));
        assert!(!drawing.contains(['\u{0}', '\u{1b}']));
        assert_eq!(drawing.matches("&lt;script&gt;").count(), 5);
        assert_eq!(drawing.matches("<text").count(), drawing.matches("</text>").count());
    }

    #[test]
    fn wide_panels_stand_one_above_the_other() {
        let (narrow, wide) =
            (diagram("a", &["x"]), diagram("b", &["a very wide box indeed, ".repeat(8).as_str()]));
        let places = |diagrams: &[&Diagram]| {
            arrange(&diagrams.iter().map(|diagram| Panel::of(diagram)).collect::<Vec<_>>()).0
        };
        let row = places(&[&narrow, &narrow, &narrow]);
        assert_eq!(row.iter().map(|place| place.1).collect::<Vec<_>>(), [0.0; 3]);
        let rows = places(&[&narrow, &wide, &narrow]);
        assert!(rows[1].0 == 0.0 && rows[1].1 > 0.0, "the wide cell stands below");
        assert!(rows[2].0 > 1000.0 && rows[2].1 == 0.0, "the network stands to the right");
    }

    #[test]
    fn nothing_to_draw_is_a_card_with_a_caption() {
        assert!(draw(&[], "", "948 params").contains("948 params"));
    }
}
