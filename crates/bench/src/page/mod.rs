//! The figures of `target/bench.json` as tables and plots of `docs/performance.md`: between its two marks, and in
//! `docs/plots`.

mod plots;
mod svg;
mod targets;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

const PAGE: &str = "docs/performance.md";
const PLOTS: &str = "docs/plots";
/// What is between these is written anew.
const MARKS: [&str; 2] = ["<!-- begin of figures -->", "<!-- end of figures -->"];

/// One of the file.
#[derive(Deserialize)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
    conditions: String,
}

/// Values by name.
struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// The first over the second.
    fn ratio(&self, one: &str, other: &str) -> Option<f64> {
        Some(self.get(one)? / self.get(other)?)
    }
}

/// Writes the page's part and the plots.
///
/// # Panics
/// If there are no figures, or the page has not both marks.
pub fn write(figures: &Path) {
    let text = std::fs::read(figures).expect("figures, which `make bench` writes");
    let list: Vec<Figure> = serde_json::from_slice(&text).expect("a list of figures");
    let values = Figures(list.iter().map(|figure| (figure.name.clone(), figure.value)).collect());
    let part = format!("{}\n{}", targets::table(&values), table(&list));
    let page = std::fs::read_to_string(PAGE).expect("the page, from the root of the project");
    let [begin, end] =
        MARKS.map(|mark| page.find(mark).unwrap_or_else(|| panic!("{mark} in {PAGE}")));
    let (before, after) = (&page[..begin + MARKS[0].len()], &page[end..]);
    std::fs::write(PAGE, format!("{before}\n\n{part}\n{after}")).expect("a writable page");
    std::fs::create_dir_all(PLOTS).expect("a writable folder");
    for (name, plot) in plots::all(&values) {
        std::fs::write(Path::new(PLOTS).join(name), plot).expect("a writable folder");
    }
    println!("written to {PAGE} and {PLOTS}");
}

/// All figures. What they have in common of their conditions, the machine, is told once.
fn table(list: &[Figure]) -> String {
    let machine =
        |figure: &Figure| figure.conditions.rsplit_once("; ").map_or("", |(_, it)| it).to_owned();
    let mut table = list
        .first()
        .map_or(String::new(), |first| format!("First of them: {}.\n\n", machine(first)));
    table += "| figure | value | unit | conditions |\n|---|--:|---|---|\n";
    for figure in list {
        let Figure { name, value, unit, conditions } = figure;
        let conditions = conditions.rsplit_once("; ").map_or(conditions.as_str(), |(own, _)| own);
        let value = shown(*value);
        writeln!(table, "| `{name}` | {value} | {unit} | {conditions} |").expect("a string");
    }
    table
}

/// With as many digits as mean something.
fn shown(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.3}"),
        10.0..1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
