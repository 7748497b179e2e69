//! Plots as SVG: lines over seconds, with axes, grid and a legend. Text is the reader's font, colours are the page's.

use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;
/// More points than this are drawn as the largest of neighbours: a peak is not lost.
const POINTS: usize = 800;

/// A line: its name, and points by second. A point that is not there makes a gap.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A plot; none if no line has a point. `bands` are shaded parts of time with their names.
pub(super) fn plot(series: &[Series<'_>], bands: &[(f64, f64, &str)], is_log: bool) -> String {
    let all = || series.iter().flat_map(|line| &line.points);
    let values: Vec<f64> = all().filter_map(|(_, value)| *value).collect();
    if values.is_empty() {
        return "<p class=\"none\">not measured in this run</p>".to_owned();
    }
    let last = all().map(|(t, _)| *t).fold(1.0, f64::max);
    let scale = Scale::of(&values, last, is_log);
    let mut svg = format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">"#);
    for (number, (from, to, name)) in bands.iter().enumerate() {
        let (x, width) = (scale.x(*from), scale.x(*to) - scale.x(*from));
        let shade = number % 2;
        let (height, name) = (HEIGHT - TOP - BOTTOM, escape(name));
        draw(
            &mut svg,
            format_args!(
                r#"<rect class="band{shade}" x="{x:.1}" y="{TOP}" width="{width:.1}" height="{height}"><title>{name}</title></rect>"#
            ),
        );
    }
    for value in scale.marks() {
        let (y, right) = (scale.y(value), WIDTH - RIGHT);
        let (x, label) = (LEFT - 6.0, short(value));
        draw(
            &mut svg,
            format_args!(
                r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/><text x="{x}" y="{:.1}" text-anchor="end">{label}</text>"#,
                y + 4.0
            ),
        );
    }
    for part in 0..=4 {
        let t = last * f64::from(part) / 4.0;
        let (x, y) = (scale.x(t), HEIGHT - 8.0);
        draw(
            &mut svg,
            format_args!(r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{t:.0} s</text>"#),
        );
    }
    for (number, line) in series.iter().enumerate() {
        let path = path(&line.points, &scale);
        draw(&mut svg, format_args!(r#"<path class="line{number}" d="{path}"/>"#));
    }
    svg += "</svg><p class=\"legend\">";
    for (number, line) in series.iter().enumerate() {
        draw(&mut svg, format_args!(r#"<span class="key{number}">{}</span> "#, escape(line.name)));
    }
    svg += "</p>";
    svg
}

struct Scale {
    last: f64,
    least: f64,
    most: f64,
    is_log: bool,
}

impl Scale {
    fn of(values: &[f64], last: f64, is_log: bool) -> Self {
        let most = values.iter().copied().fold(0.0, f64::max).max(1e-3);
        let positive = values.iter().copied().filter(|value| *value > 0.0);
        let least = positive.fold(most, f64::min);
        if is_log {
            let (least, most) = (least.log10().floor(), most.log10().ceil());
            return Self { last, least, most: most.max(least + 1.0), is_log };
        }
        let step = 10.0_f64.powf(most.log10().floor());
        Self { last, least: 0.0, most: (most / step).ceil() * step, is_log }
    }

    fn x(&self, t: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * t / self.last
    }

    fn y(&self, value: f64) -> f64 {
        let value = if self.is_log { value.max(1e-9).log10() } else { value };
        let share = ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
    }

    fn marks(&self) -> Vec<f64> {
        if self.is_log {
            let exponents = self.least as i32..=self.most as i32;
            return exponents.map(|exponent| 10.0_f64.powi(exponent)).collect();
        }
        (0..=4).map(|part| self.most * f64::from(part) / 4.0).collect()
    }
}

fn path(points: &[(f64, Option<f64>)], scale: &Scale) -> String {
    let mut path = String::new();
    let mut is_down = false;
    for group in points.chunks(points.len().div_ceil(POINTS).max(1)) {
        let most = group.iter().filter_map(|(_, value)| *value).reduce(f64::max);
        let Some(value) = most else {
            is_down = false;
            continue;
        };
        let step = if is_down { 'L' } else { 'M' };
        draw(&mut path, format_args!("{step}{:.1} {:.1}", scale.x(group[0].0), scale.y(value)));
        is_down = true;
    }
    path
}

/// A number in few letters.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        large if large >= 1e6 => format!("{:.1}M", value / 1e6),
        large if large >= 1e4 => format!("{:.0}k", value / 1e3),
        large if large >= 100.0 => format!("{value:.0}"),
        large if large >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A text that stands in HTML as it is.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn draw(to: &mut String, what: std::fmt::Arguments<'_>) {
    to.write_fmt(what).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::{Series, escape, plot};

    #[test]
    fn a_gap_in_the_points_is_a_gap_in_the_line_and_a_peak_survives_thinning() {
        let mut points: Vec<_> = (0..10_000).map(|t| (f64::from(t), Some(1.0))).collect();
        points[5_003].1 = Some(100.0);
        for point in &mut points[7_000..7_100] {
            point.1 = None;
        }
        let svg = plot(&[Series { name: "a < b", points }], &[], false);
        assert_eq!(svg.matches('M').count(), 2, "two strokes");
        assert!(svg.contains(" 12.0"), "the peak touches the top: {svg}");
        assert!(svg.contains("a &lt; b"));
        assert!(plot(&[], &[], true).contains("not measured"));
        assert_eq!(escape("\"&"), "&quot;&amp;");
    }
}
