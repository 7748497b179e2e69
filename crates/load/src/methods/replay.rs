//! A recorded load: a CSV file (or `.zst`) with a line for each step of time, whose second column counts requests.
//!
//! The median step becomes the base rate, so that a recorded flood is as many times the usual as it was.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::Plan;
use crate::LoadError;

/// Requests by steps of time, as multiples of the median.
pub(crate) struct Trace {
    rows: Vec<f64>,
    row: Duration,
}

impl Trace {
    /// Reads `file` from line `from` (0 is the first with data), `count` lines of it. Each takes `row`.
    pub(crate) fn read(
        file: &Path,
        from: usize,
        count: usize,
        row: Duration,
    ) -> Result<Self, LoadError> {
        let bytes = std::fs::File::open(file).map_err(LoadError::file(file))?;
        let mut text = String::new();
        let read = match file.extension().is_some_and(|extension| extension == "zst") {
            true => {
                zstd::Decoder::new(bytes).and_then(|mut reader| reader.read_to_string(&mut text))
            }
            false => (&bytes).read_to_string(&mut text),
        };
        read.map_err(LoadError::file(file))?;
        let wrong = |reason: String| LoadError::Content { path: file.to_owned(), reason };
        let counts = parse(&text).map_err(wrong)?;
        let all = counts.len();
        let rows: Vec<_> = counts.iter().skip(from).take(count).copied().collect();
        if rows.is_empty() {
            return Err(wrong(format!("has {all} rows, none from {from} on")));
        }
        let mut sorted = counts;
        sorted.sort_by(f64::total_cmp);
        let median = sorted[all / 2].max(1.0);
        Ok(Self { rows: rows.into_iter().map(|count| count / median).collect(), row })
    }

    /// The first multiple.
    pub(super) fn first(&self) -> f64 {
        self.rows[0]
    }

    pub(super) fn plan(&self) -> Plan {
        Plan { name: "replay".to_owned(), rows: self.rows.clone(), row: self.row, settles: false }
    }
}

/// The second column; the first line may be a heading.
fn parse(text: &str) -> Result<Vec<f64>, String> {
    let mut counts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let count = line.split(',').nth(1).and_then(|count| count.trim().parse::<f64>().ok());
        match count {
            Some(count) if count.is_finite() && count >= 0.0 => counts.push(count),
            None if number == 0 => {}
            _ => return Err(format!("line {}: no time and count", number + 1)),
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn counts_stand_in_the_second_column_below_a_heading() {
        assert_eq!(parse("minute,requests\n0,42\n1,62.5\n").unwrap(), [42.0, 62.5]);
        assert_eq!(parse("a,1\n").unwrap(), [1.0]);
        assert_eq!(parse("minute,requests\n0,many\n").unwrap_err(), "line 2: no time and count");
    }
}
