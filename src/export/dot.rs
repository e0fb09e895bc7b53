//! Graphviz: the same pictures as the drawing, to be laid out, restyled and joined with others.
//!
//! `dot -Tpdf network.dot -o network.pdf` ([Graphviz](https://graphviz.org/doc/info/lang.html)).

use std::fmt::Write as _;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::diagram::{Diagram, Item, Kind};
use super::{ExportError, Exporter, Model};

/// Writes `network.dot`: one cluster for every cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dot {}

impl Exporter for Dot {
    fn export(&self, model: &Model, out: &mut dyn Write) -> Result<(), ExportError> {
        let text = draw(&model.diagrams(), model.name, &model.caption());
        Ok(out.write_all(text.as_bytes())?)
    }

    fn extension(&self) -> &'static str {
        "dot"
    }
}

fn draw(diagrams: &[Diagram], name: &str, caption: &str) -> String {
    let mut out = format!("digraph {} {{\n", quote(name));
    let _ =
        writeln!(out, "  label={}; labelloc=t; fontname=Helvetica;", quote(&format!("{name}\n{caption}")));
    out.push_str("  node [fontname=Helvetica, fontsize=12, shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\"];\n");
    out.push_str("  edge [color=\"#64748b\"];\n");
    for (number, diagram) in diagrams.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{number} {{");
        let _ = writeln!(out, "    label={}; color=\"#cbd5e1\";", quote(&diagram.title));
        for (index, item) in diagram.items.iter().enumerate() {
            let _ = writeln!(out, "    {} [{}];", node(number, index), attributes(item));
        }
        for (from, to) in &diagram.edges {
            let _ = writeln!(out, "    {} -> {};", node(number, *from), node(number, *to));
        }
        out.push_str("  }\n");
    }
    out + "}\n"
}

fn node(diagram: usize, item: usize) -> String {
    format!("n{diagram}_{item}")
}

fn attributes(item: &Item) -> String {
    let separator = if item.detail.is_empty() { "" } else { "\n" };
    let label = quote(&format!("{}{separator}{}", item.label, item.detail));
    let look = match item.kind {
        Kind::End => "shape=ellipse, fillcolor=\"#e2e8f0\"",
        Kind::Add => {
            return "label=\"+\", shape=circle, width=0.3, fixedsize=true, fillcolor=\"#cbd5e1\"".to_string();
        }
        Kind::Concat => "shape=ellipse, fillcolor=\"#cbd5e1\"",
        Kind::Cell => "fillcolor=\"#e0e7ff\"",
        Kind::Convolution => "fillcolor=\"#ccfbf1\"",
        Kind::Separable => "fillcolor=\"#dbeafe\"",
        Kind::Dilated => "fillcolor=\"#ede9fe\"",
        Kind::Block => "fillcolor=\"#ffedd5\"",
        Kind::Pool => "fillcolor=\"#e3f5d6\"",
        Kind::Linear => "fillcolor=\"#ffe4e6\"",
        Kind::Pointwise => "fillcolor=\"#fef3c7\"",
        Kind::Identity => "style=\"rounded,dashed\"",
        Kind::Zero => "style=\"rounded,dotted\"",
    };
    format!("label={label}, {look}")
}

/// A quoted string of the DOT language, in which a backslash would otherwise start an escape.
fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("\r\n", "\n").replace('\n', "\\n");
    let printable: String = escaped.chars().filter(|character| !character.is_control()).collect();
    format!("\"{printable}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(label: &str, detail: &str, kind: Kind) -> Item {
        Item { label: label.to_string(), detail: detail.to_string(), kind }
    }

    #[test]
    fn a_diagram_is_a_cluster() {
        let items = vec![
            item("input", "", Kind::End),
            item("sep conv 5x5", "32 channels", Kind::Separable),
            item("add", "", Kind::Add),
        ];
        let diagram = Diagram { title: "cell".to_string(), items, edges: vec![(0, 1), (0, 2), (1, 2)] };
        insta::assert_snapshot!(draw(&[diagram], "winner", "948 params"), @r##"
        digraph "winner" {
          label="winner\n948 params"; labelloc=t; fontname=Helvetica;
          node [fontname=Helvetica, fontsize=12, shape=box, style="rounded,filled", fillcolor="#ffffff"];
          edge [color="#64748b"];
          subgraph cluster_0 {
            label="cell"; color="#cbd5e1";
            n0_0 [label="input", shape=ellipse, fillcolor="#e2e8f0"];
            n0_1 [label="sep conv 5x5\n32 channels", fillcolor="#dbeafe"];
            n0_2 [label="+", shape=circle, width=0.3, fixedsize=true, fillcolor="#cbd5e1"];
            n0_0 -> n0_1;
            n0_0 -> n0_2;
            n0_1 -> n0_2;
          }
        }
        "##);
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(quote("a\"b\\c\nd\u{7}<&>"), r#""a\"b\\c\nd<&>""#);
    }
}
