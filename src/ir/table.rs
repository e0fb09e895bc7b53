//! A graph as a table for people: scope, primitive, shape, parameters, multiply-adds.

use std::fmt;

use super::Graph;

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["scope", "primitive", "shape", "params", "macs"].map(String::from);
        let rows: Vec<[String; 5]> = std::iter::once(head)
            .chain((0..self.nodes.len()).map(|node| self.row(node)))
            .chain([self.total()])
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 5] = std::array::from_fn(width);
        for [scope, primitive, shape, params, macs] in &rows {
            let [a, b, c, d, e] = widths;
            let line = format!("{scope:<a$}  {primitive:<b$}  {shape:<c$}  {params:>d$}  {macs:>e$}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Graph {
    fn row(&self, node: usize) -> [String; 5] {
        let what = &self.nodes[node];
        let (params, macs) = (self.params_of(node), self.macs_of(node));
        [
            what.scope.clone(),
            what.primitive.to_string(),
            what.shape.to_string(),
            counted(params),
            counted(macs),
        ]
    }

    fn total(&self) -> [String; 5] {
        let cost = self.cost();
        [
            "total".into(),
            String::new(),
            self.shape(self.output()).to_string(),
            counted(cost.params),
            counted(cost.macs),
        ]
    }
}

/// Thousands apart, nothing for zero: the eye looks for where the weight lies.
fn counted(count: u64) -> String {
    let digits = if count == 0 { String::new() } else { count.to_string() };
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
