//! Draws comparisons as one SVG picture that reads well on light and on dark ground.

use std::fmt::Write as _;

use crate::simulation::PATIENT_MS;
use crate::simulation::compare::{Column, Comparison, Measures, Point};
use crate::simulation::table::{cost, percent, time};

const WIDTH: f64 = 960.0;
/// One scenario's height.
const HEIGHT: f64 = 400.0;
const TOP: f64 = 78.0;
const PLOT_HEIGHT: f64 = 170.0;
/// The two plots of a scenario: where they begin, and how wide they are.
const PLOTS: [f64; 2] = [56.0, 540.0];
const PLOT_WIDTH: f64 = 390.0;
/// Columns beyond the last colour begin again with the first one.
const COLOURS: usize = 3;

// Plain colours: many renderers know no variables, and some no media queries either.
const STYLE: &str = "\
.ground { fill: #ffffff; }
text { font: 12px system-ui, sans-serif; fill: #1c2024; }
.title { font-size: 16px; font-weight: 600; }
.faint { fill: #6d747b; }
.end { text-anchor: end; }
.grid { stroke: #e3e6e9; }
.change { fill: #f4e3cf; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.dashed { stroke-dasharray: 2 4; stroke-width: 1.5; }
.s0 { stroke: #b3431e; } .s1 { stroke: #1a6fb4; } .s2 { stroke: #4f7d1f; }
.f0 { fill: #b3431e; } .f1 { fill: #1a6fb4; } .f2 { fill: #4f7d1f; }
@media (prefers-color-scheme: dark) {
  .ground { fill: #14171a; } text { fill: #e8eaed; } .faint { fill: #9aa1a8; }
  .grid { stroke: #2b3035; } .change { fill: #3d3222; }
  .s0 { stroke: #f08a5d; } .s1 { stroke: #6cb6f5; } .s2 { stroke: #a3d468; }
  .f0 { fill: #f08a5d; } .f1 { fill: #6cb6f5; } .f2 { fill: #a3d468; }
}
";

/// What is written below the plots.
type Figure = (&'static str, fn(&Measures) -> String);

const FIGURES: [Figure; 8] = [
    ("within 30 s", |m| percent(m.within_30s)),
    ("in Okta's time", |m| percent(m.in_time)),
    ("half have it", |m| time(m.p50_ms)),
    ("95 of 100", |m| time(m.p95_ms)),
    ("never", |m| m.undelivered.to_string()),
    ("duplicates", |m| m.duplicates.to_string()),
    ("failovers", |m| m.failovers.to_string()),
    ("cost per code", |m| cost(m.cost_per_delivered)),
];

/// All scenarios, one below the other.
pub fn chart(comparisons: &[Comparison]) -> String {
    let mut svg = Svg::default();
    let count = comparisons.iter().map(|_| HEIGHT).sum::<f64>().max(HEIGHT);
    svg.push(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {count}\" \
         width=\"{WIDTH}\" height=\"{count}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n"
    ));
    let mut top = 0.0;
    for comparison in comparisons {
        svg.push(format_args!("<g transform=\"translate(0 {top})\">\n"));
        svg.scenario(comparison);
        svg.push(format_args!("</g>\n"));
        top += HEIGHT;
    }
    svg.push(format_args!("</svg>\n"));
    svg.0
}

#[derive(Default)]
struct Svg(String);

/// One plot's left end, and what its height stands for.
#[derive(Clone, Copy)]
struct Plot<'a> {
    left: f64,
    /// What is at the top.
    most: f64,
    comparison: &'a Comparison,
}

impl Svg {
    fn push(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        if self.0.write_fmt(what).is_err() {
            self.0.clear();
        }
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let text = escaped(text);
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n"
        ));
    }

    fn scenario(&mut self, comparison: &Comparison) {
        self.text("title", PLOTS[0], 28.0, &comparison.scenario);
        let about = comparison.about.as_deref().unwrap_or_default();
        self.text("faint", PLOTS[0], 48.0, about);
        let left = "code within 30 s (dotted: accepted before Okta's deadline)";
        self.text("", PLOTS[0], TOP - 8.0, left);
        let right = "95 of 100 have it after, in seconds (gap: they never do)";
        self.text("", PLOTS[1], TOP - 8.0, right);
        let shares = Plot {
            left: PLOTS[0],
            most: 1.0,
            comparison,
        };
        self.frame(shares, |share| format!("{:.0}%", share * 100.0));
        self.lines(shares, "dashed", |point| Some(point.in_time));
        self.lines(shares, "", |point| Some(point.within_30s));
        let seconds = Plot {
            left: PLOTS[1],
            most: seconds_most(comparison),
            comparison,
        };
        self.frame(seconds, |ms| format!("{:.0}", ms / 1_000.0));
        self.lines(seconds, "", |point| point.p95_ms.map(number));
        self.figures(&comparison.contenders);
    }

    /// The ground of a plot: changes, lines to read values off, and the axes' words.
    fn frame(&mut self, plot: Plot<'_>, label: impl Fn(f64) -> String) {
        let lasts = number(plot.comparison.lasts_ms).max(1.0);
        for (from, to) in &plot.comparison.changes {
            let x = plot.left + number(*from) / lasts * PLOT_WIDTH;
            let width = number(to - from) / lasts * PLOT_WIDTH;
            self.push(format_args!(
                "<rect class=\"change\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" \
                 height=\"{PLOT_HEIGHT}\"/>\n"
            ));
        }
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let y = TOP + PLOT_HEIGHT * (1.0 - share);
            let right = plot.left + PLOT_WIDTH;
            self.push(format_args!(
                "<line class=\"grid\" x1=\"{:.1}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n",
                plot.left
            ));
            let text = label(share * plot.most);
            self.text("faint end", plot.left - 6.0, y + 4.0, &text);
            let x = plot.left + PLOT_WIDTH * share;
            let minutes = number(plot.comparison.lasts_ms) * share / 60_000.0;
            let class = if quarter == 4 { "faint end" } else { "faint" };
            let text = format!("{minutes:.0} min");
            self.text(class, x, TOP + PLOT_HEIGHT + 16.0, &text);
        }
    }

    /// One line for each column, with gaps where there is nothing to show.
    fn lines(&mut self, plot: Plot<'_>, class: &str, value: impl Fn(&Point) -> Option<f64>) {
        let lasts = number(plot.comparison.lasts_ms).max(1.0);
        for (index, column) in plot.comparison.contenders.iter().enumerate() {
            let mut path = String::new();
            let mut pen = 'M';
            for point in &column.over_time {
                let Some(value) = value(point).filter(|_| point.deliveries > 0) else {
                    pen = 'M';
                    continue;
                };
                let x = plot.left + number(point.at_ms) / lasts * PLOT_WIDTH;
                let y = TOP + PLOT_HEIGHT * (1.0 - (value / plot.most).min(1.0));
                path.push_str(&format!("{pen}{x:.1} {y:.1}"));
                pen = 'L';
            }
            let colour = index % COLOURS;
            self.push(format_args!(
                "<path class=\"line {class} s{colour}\" d=\"{path}\"/>\n"
            ));
        }
    }

    /// The legend, with the figures of the whole scenario.
    fn figures(&mut self, columns: &[Column]) {
        let top = TOP + PLOT_HEIGHT + 44.0;
        let x = |figure: usize| 250.0 + figure as f64 * 97.0;
        for (index, (name, _)) in FIGURES.iter().enumerate() {
            self.text("faint end", x(index), top, name);
        }
        for (index, column) in columns.iter().enumerate() {
            let y = top + 24.0 * (index + 1) as f64;
            let colour = index % COLOURS;
            self.push(format_args!(
                "<rect class=\"f{colour}\" x=\"{}\" y=\"{}\" width=\"12\" height=\"12\"/>\n",
                PLOTS[0],
                y - 10.0
            ));
            self.text("", PLOTS[0] + 20.0, y, &column.name);
            for (figure, (_, read)) in FIGURES.iter().enumerate() {
                self.text("end", x(figure), y, &read(&column.total));
            }
        }
    }
}

/// The slowest stretch of any column, but no less than people wait, in whole seconds at each quarter.
fn seconds_most(comparison: &Comparison) -> f64 {
    let points = comparison.contenders.iter().flat_map(|c| &c.over_time);
    let most = points.filter_map(|point| point.p95_ms).max();
    let most = most.unwrap_or(0).max(PATIENT_MS);
    number(most + (-most).rem_euclid(4_000))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds fit for 285,000 years"
)]
fn number(ms: i64) -> f64 {
    ms as f64
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // XML has no place for these.
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
