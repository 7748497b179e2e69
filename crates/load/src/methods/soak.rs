//! Hours of load: what grows all the time. Slopes are fitted to the second half, when caches are full.

use crate::report::{Report, Second};

/// Name, unit, and value in a second.
type Measure = (&'static str, &'static str, fn(&Second) -> Option<f64>);

const MEASURES: [Measure; 3] = [
    ("memory", "MB", |second| second.memory_mb),
    ("descriptors", "", |second| second.descriptors),
    ("disk", "MB", |second| second.disk_mb),
];

pub(super) fn conclude(report: &mut Report) {
    let half = report.seconds.len() / 2;
    let second_half = report.seconds[half..].to_vec();
    for (name, unit, value) in MEASURES {
        let points: Vec<_> = second_half
            .iter()
            .filter_map(|second| Some((second.t as f64 / 3_600.0, value(second)?)))
            .collect();
        let Some(slope) = slope(&points) else { continue };
        report.figures.insert(format!("{name}_slope_per_hour"), slope);
        let last = points.last().map_or(0.0, |(_, value)| *value);
        report.outcome.push(format!(
            "{name}: {last:.0} {unit} at the end, {slope:+.1} {unit} an hour in the second half."
        ));
    }
}

/// Of the straight line with the least squares.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (points.len() > 2 && spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn a_line_has_its_slope_and_two_points_are_none() {
        let line: Vec<_> = (0..10).map(|x| (f64::from(x), 5.0 - 2.0 * f64::from(x))).collect();
        assert!((slope(&line).unwrap() + 2.0).abs() < 1e-9);
        assert_eq!(slope(&line[..2]), None);
    }
}
