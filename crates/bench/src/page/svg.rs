//! Plots as SVG: bars and curves on a logarithmic scale.

use std::fmt::Write;

const WIDTH: f64 = 820.0;
const COLOURS: [&str; 8] =
    ["#1f5fa8", "#d1495b", "#3a8f5c", "#e0912f", "#7d5ba6", "#4a9aa8", "#8a6d3b", "#777777"];

/// A picture that grows.
pub struct Svg {
    body: String,
    height: f64,
}

impl Svg {
    /// With a title above.
    pub fn new(title: &str, height: f64) -> Self {
        let mut svg = Self { body: String::new(), height };
        svg.text(12.0, 24.0, "start", 16, title);
        svg
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, size: u32, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(
            self.body,
            r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="#222">{text}</text>"##
        )
        .expect("a string");
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, width: f64) {
        let ((x1, y1), (x2, y2)) = (from, to);
        writeln!(
            self.body,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}" stroke-width="{width}"/>"#
        )
        .expect("a string");
    }

    /// The file.
    pub fn finish(self) -> String {
        let Self { body, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }
}

/// A bar: what it is called, its value, and which colour it has.
pub struct Bar {
    /// At its left.
    pub label: String,
    /// Above zero.
    pub value: f64,
    /// At its right.
    pub shown: String,
    /// By number.
    pub colour: usize,
}

/// Bars under each other, in groups with a name; all on one logarithmic scale.
pub fn bars(title: &str, groups: &[(String, Vec<Bar>)]) -> String {
    const LEFT: f64 = 210.0;
    const ROW: f64 = 20.0;
    let rows: usize = groups.iter().map(|(_, bars)| bars.len() + 1).sum();
    let mut svg = Svg::new(title, 50.0 + rows as f64 * ROW);
    let values = groups.iter().flat_map(|(_, bars)| bars.iter().map(|bar| bar.value));
    let (least, most) = bounds(values);
    let length = |value: f64| (value / least).ln() / (most / least).ln() * (WIDTH - LEFT - 90.0);
    let mut y = 40.0;
    for (name, bars) in groups {
        svg.text(12.0, y + 14.0, "start", 13, name);
        y += ROW;
        for bar in bars {
            let (width, colour) = (length(bar.value).max(1.0), COLOURS[bar.colour % COLOURS.len()]);
            svg.text(LEFT - 6.0, y + 13.0, "end", 12, &bar.label);
            writeln!(
                svg.body,
                r#"<rect x="{LEFT}" y="{:.1}" width="{width:.1}" height="15" fill="{colour}"/>"#,
                y + 1.0
            )
            .expect("a string");
            svg.text(LEFT + width + 6.0, y + 13.0, "start", 12, &bar.shown);
            y += ROW;
        }
    }
    svg.finish()
}

/// Curves over the same named places, on a logarithmic scale with this unit.
pub fn curves(title: &str, places: &[&str], unit: &str, curves: &[(String, Vec<f64>)]) -> String {
    const LEFT: f64 = 70.0;
    const TOP: f64 = 45.0;
    const RIGHT: f64 = 230.0;
    const HEIGHT: f64 = 360.0;
    let mut svg = Svg::new(title, TOP + HEIGHT + 35.0);
    let (least, most) = bounds(curves.iter().flat_map(|(_, values)| values.iter().copied()));
    let y = |value: f64| TOP + HEIGHT - (value / least).ln() / (most / least).ln() * HEIGHT;
    let step = (WIDTH - LEFT - RIGHT) / (places.len() - 1).max(1) as f64;
    let x = |nth: usize| LEFT + nth as f64 * step;
    let mut tick = least;
    while tick <= most * 1.01 {
        svg.line((LEFT, y(tick)), (WIDTH - RIGHT, y(tick)), "#ddd", 1.0);
        svg.text(LEFT - 8.0, y(tick) + 4.0, "end", 12, &format!("{tick} {unit}"));
        tick *= 10.0;
    }
    for (nth, place) in places.iter().enumerate() {
        svg.text(x(nth), TOP + HEIGHT + 20.0, "middle", 12, place);
    }
    for (nth, (name, values)) in curves.iter().enumerate() {
        let colour = COLOURS[nth % COLOURS.len()];
        for (at, pair) in values.windows(2).enumerate() {
            svg.line((x(at), y(pair[0])), (x(at + 1), y(pair[1])), colour, 2.5);
        }
        let at = TOP + 10.0 + nth as f64 * 20.0;
        svg.line((WIDTH - RIGHT + 15.0, at), (WIDTH - RIGHT + 40.0, at), colour, 4.0);
        svg.text(WIDTH - RIGHT + 46.0, at + 4.0, "start", 12, name);
    }
    svg.finish()
}

/// Powers of ten around all values.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values {
        (least, most) = (least.min(value), most.max(value));
    }
    let least = 10_f64.powf(least.log10().floor());
    (least, 10_f64.powf(most.log10().ceil()).max(least * 10.0))
}
