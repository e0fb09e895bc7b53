//! Regret curves as SVG: means as lines on logarithmic axes, their intervals as bands, and each algorithm's name at its
//! line's end.

use std::fmt::Write;

use super::report::figure;
use super::report::plot_name;
use super::{AxisResults, Results, SpaceResults, Unit};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 72.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 52.0;
/// Room for a character of a name.
const LETTER: f64 = 7.2;
/// Between the lines of two names.
const LINE: f64 = 16.0;
/// Colours that are told apart by all eyes (Okabe and Ito), the yellow darker.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8f7a00"];
/// Once all colours are used they come again, dashed.
const DASHES: [&str; 3] = ["", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"2 3\""];
/// Below the first few trials all algorithms do the same.
const FIRST_SHARE: f64 = 50.0;

impl Results {
    /// A plot of each space and axis: its file name and its SVG.
    pub fn plots(&self) -> Vec<(String, String)> {
        let plots = self.spaces.iter().flat_map(|space| space.axes.iter().map(move |axis| (space, axis)));
        plots.map(|(space, axis)| (plot_name(&space.label, axis.axis), Plot::of(space, axis).svg())).collect()
    }
}

struct Plot<'a> {
    space: &'a SpaceResults,
    results: &'a AxisResults,
    /// The points that are shown.
    shown: std::ops::Range<usize>,
    x: Scale,
    y: Scale,
}

/// A logarithmic scale: values to pixels.
struct Scale {
    values: (f64, f64),
    pixels: (f64, f64),
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.values.0.ln(), self.values.1.ln());
        let share = (value.clamp(self.values.0, self.values.1).ln() - low) / (high - low);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// 1, 2, 5, 10, 20, .. within the scale; the powers of ten alone where those are many.
    fn ticks(&self) -> Vec<f64> {
        let decades = self.values.0.log10().floor() as i32..=self.values.1.log10().ceil() as i32;
        let steps: &[f64] = if decades.clone().count() > 5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let ticks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        ticks.filter(|tick| (self.values.0 * 0.999..=self.values.1 * 1.001).contains(tick)).collect()
    }
}

impl<'a> Plot<'a> {
    fn of(space: &'a SpaceResults, results: &'a AxisResults) -> Plot<'a> {
        let last = results.points.last().copied().unwrap_or(1.0);
        let first = results.points.partition_point(|point| *point < last / FIRST_SHARE);
        let shown = first.min(results.points.len().saturating_sub(2))..results.points.len();
        let longest = results.curves.iter().map(|curve| curve.algorithm.chars().count()).max().unwrap_or(0);
        let right = WIDTH - 24.0 - LETTER * longest as f64;
        let start = results.points.get(shown.start).copied().unwrap_or(1.0);
        let x = Scale { values: (start, last.max(start * 1.01)), pixels: (LEFT, right) };
        let y = Scale { values: range(results, shown.clone()), pixels: (HEIGHT - BOTTOM, TOP) };
        Plot { space, results, shown, x, y }
    }

    fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
        );
        self.frame(&mut out);
        for (number, _) in self.results.curves.iter().enumerate() {
            self.band(number, &mut out);
        }
        for (number, _) in self.results.curves.iter().enumerate() {
            self.line(number, &mut out);
        }
        self.names(&mut out);
        out + "</svg>\n"
    }

    /// Title, grid, ticks and what the axes are.
    fn frame(&self, out: &mut String) {
        let ((left, right), (bottom, top)) = (self.x.pixels, self.y.pixels);
        let title = escape(&self.space.label);
        text(out, (left, 24.0), "font-size=\"15\" font-weight=\"bold\"", &title);
        for tick in self.x.ticks() {
            let x = self.x.at(tick);
            rule(out, (x, top), (x, bottom));
            text(out, (x, bottom + 18.0), "text-anchor=\"middle\" fill=\"#444444\"", &figure(tick));
        }
        for tick in self.y.ticks() {
            let y = self.y.at(tick);
            rule(out, (left, y), (right, y));
            text(out, (left - 8.0, y + 4.0), "text-anchor=\"end\" fill=\"#444444\"", &figure(tick));
        }
        let middle = (left + right) / 2.0;
        text(out, (middle, HEIGHT - 12.0), "text-anchor=\"middle\"", self.results.axis.label());
        let unit = if self.space.unit == Unit::Points { " (points)" } else { "" };
        let words = escape(&format!("regret of {}{unit}", self.space.truth()));
        let (x, y) = (18.0, (top + bottom) / 2.0);
        text(out, (x, y), &format!("text-anchor=\"middle\" transform=\"rotate(-90 {x} {y})\""), &words);
    }

    /// The points of a curve that have a mean, from left to right.
    fn points(&self, number: usize) -> impl Iterator<Item = (f64, super::Summary)> {
        let curve = &self.results.curves[number];
        let shown =
            self.shown.clone().map(|point| (self.x.at(self.results.points[point]), curve.summaries[point]));
        shown.filter(|(_, summary)| summary.mean.is_finite())
    }

    fn band(&self, number: usize, out: &mut String) {
        let points: Vec<_> = self.points(number).filter(|(_, summary)| summary.half.is_finite()).collect();
        let above = points.iter().map(|(x, summary)| (*x, self.y.at(summary.high())));
        let below = points.iter().rev().map(|(x, summary)| (*x, self.y.at(summary.low())));
        let _ = writeln!(
            out,
            "<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.15\"/>",
            listed(above.chain(below)),
            colour(number)
        );
    }

    fn line(&self, number: usize, out: &mut String) {
        let points = self.points(number).map(|(x, summary)| (x, self.y.at(summary.mean)));
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{}/>",
            listed(points),
            colour(number),
            DASHES[(number / COLOURS.len()) % DASHES.len()]
        );
    }

    /// Each name at its line's end, moved apart where lines end together.
    fn names(&self, out: &mut String) {
        let end = |number: usize| {
            let last = self.points(number).last();
            last.map_or(self.y.pixels.1, |(_, summary)| self.y.at(summary.mean))
        };
        let wanted: Vec<f64> = (0..self.results.curves.len()).map(end).collect();
        let (right, bottom) = (self.x.pixels.1, self.y.pixels.0);
        for (number, y) in apart(&wanted, TOP, bottom).into_iter().enumerate() {
            let name = escape(&self.results.curves[number].algorithm);
            let colour = colour(number);
            let _ = writeln!(
                out,
                "<line x1=\"{right:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" stroke-width=\"1\" stroke-opacity=\"0.6\"/>",
                wanted[number],
                right + 10.0
            );
            text(out, (right + 13.0, y + 4.0), &format!("fill=\"{colour}\""), &name);
        }
    }
}

/// What the vertical axis spans: all means and the bands above them; a regret of 0 lies on its floor.
fn range(results: &AxisResults, shown: std::ops::Range<usize>) -> (f64, f64) {
    let summaries = results.curves.iter().flat_map(|curve| &curve.summaries[shown.clone()]);
    let summaries: Vec<_> = summaries.filter(|summary| summary.mean.is_finite()).collect();
    let high =
        |summary: &&super::Summary| if summary.half.is_finite() { summary.high() } else { summary.mean };
    let highest = summaries.iter().map(high).fold(0.0, f64::max);
    let means = summaries.iter().map(|summary| summary.mean).filter(|mean| *mean > 0.0);
    let lowest = means.fold(f64::INFINITY, f64::min);
    if highest <= 0.0 || !lowest.is_finite() {
        return (0.1, 1.0);
    }
    // However small the last regrets: the eye needs no more than four decades.
    ((lowest * 0.7).max(highest * 1e-4), highest * 1.1)
}

/// Places as near to the wanted ones as they can be, a line apart, in the same order, within the bounds where they fit.
fn apart(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut places = wanted.to_vec();
    let mut floor = top;
    for number in &order {
        places[*number] = places[*number].max(floor);
        floor = places[*number] + LINE;
    }
    let mut ceiling = bottom;
    for number in order.iter().rev() {
        places[*number] = places[*number].min(ceiling);
        ceiling = places[*number] - LINE;
    }
    places
}

fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

fn listed(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

fn rule(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(
        out,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#e4e4e4\"/>"
    );
}

fn text(out: &mut String, (x, y): (f64, f64), attributes: &str, words: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{words}</text>");
}

fn escape(text: &str) -> String {
    let visible = text.chars().filter(|character| !character.is_control()).collect::<String>();
    visible.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::results;
    use super::*;

    #[test]
    fn every_curve_is_drawn_and_named() {
        let mut results = results();
        results.algorithms[1] = "a < b & c".into();
        results.spaces[0].axes[0].curves[1].algorithm = "a < b & c".into();
        let plots = results.plots();
        assert_eq!(plots.len(), 1);
        let (name, svg) = &plots[0];
        assert_eq!(name, "nas-bench-201-cifar-10-queries.svg");
        assert_eq!((svg.matches("<polyline").count(), svg.matches("<polygon").count()), (2, 2));
        for word in [">random<", ">a &lt; b &amp; c<", ">queries<", "regret of test_accuracy (points)"] {
            assert!(svg.contains(word), "{word}: {svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn strange_figures_draw_nothing_that_is_no_number() {
        let mut results = results();
        for (value, half) in [(0.0, 0.0), (f64::NAN, f64::NAN), (1.0, f64::NAN)] {
            for curve in &mut results.spaces[0].axes[0].curves {
                curve.summaries.fill(super::super::Summary { mean: value, half });
            }
            let (_, svg) = &results.plots()[0];
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn names_move_apart() {
        assert_eq!(apart(&[100.0, 50.0], 0.0, 400.0), [100.0, 50.0]);
        assert_eq!(apart(&[100.0, 101.0, 102.0], 0.0, 400.0), [100.0, 116.0, 132.0]);
        assert_eq!(apart(&[400.0, 399.0], 0.0, 400.0), [400.0, 384.0]);
    }

    #[test]
    fn ticks_are_round() {
        let scale = |low, high| Scale { values: (low, high), pixels: (0.0, 100.0) };
        assert_eq!(scale(3.0, 300.0).ticks(), [5.0, 10.0, 20.0, 50.0, 100.0, 200.0]);
        assert_eq!(scale(1e-4, 1e3).ticks().len(), 8);
        assert_eq!(scale(1.0, 100.0).at(10.0), 50.0);
    }
}
