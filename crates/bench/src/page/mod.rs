//! The figures of `target/bench.json` as tables and plots of `docs/performance.md`: between its marks, and in
//! `docs/plots`.

mod books;
mod limits;
mod plots;
mod svg;
mod targets;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

const PAGE: &str = "docs/performance.md";
const PLOTS: &str = "docs/plots";
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
    let mut list: Vec<Figure> = serde_json::from_slice(&text).expect("a list of figures");
    list.sort_by(|one, other| one.name.cmp(&other.name));
    let values = Figures(list.iter().map(|figure| (figure.name.clone(), figure.value)).collect());
    let mut page = std::fs::read_to_string(PAGE).expect("the page, from the root of the project");
    for (name, part) in [
        ("targets", targets::table(&values)),
        ("limits", limits::table(&values)),
        ("figures", table(&list)),
        ("books", books::table(&list)),
    ] {
        replace(&mut page, name, &part);
    }
    std::fs::write(PAGE, page).expect("a writable page");
    std::fs::create_dir_all(PLOTS).expect("a writable folder");
    for (name, plot) in plots::all(&values) {
        std::fs::write(Path::new(PLOTS).join(name), plot).expect("a writable folder");
    }
    println!("written to {PAGE} and {PLOTS}");
}

/// Puts a part between its marks.
fn replace(page: &mut String, name: &str, part: &str) {
    let [begin, end] = ["begin", "end"].map(|which| format!("<!-- {which} of {name} -->\n"));
    let find = |mark: &str| page.find(mark).unwrap_or_else(|| panic!("{mark:?} in {PAGE}"));
    let (from, to) = (find(&begin) + begin.len(), find(&end));
    page.replace_range(from..to, part);
}

/// All figures but those of other books. What their conditions have in common, the machine, is told once.
fn table(list: &[Figure]) -> String {
    let own = |figure: &&Figure| !figure.name.starts_with("peer_");
    let machine = list.iter().find(own).map_or("", |figure| split(figure).1);
    let (machine, _) = machine.rsplit_once(", load ").unwrap_or((machine, ""));
    let loads = list.iter().filter_map(|one| one.conditions.rsplit_once("load ")?.1.parse().ok());
    let (least, most) = loads.fold((f64::INFINITY, 0.0_f64), |(least, most), load: f64| {
        (least.min(load), most.max(load))
    });
    let mut table =
        format!("{machine}; the load was {least:.1} to {most:.1} while they were taken.\n\n");
    table += "| figure | value | unit | conditions |\n|---|--:|---|---|\n";
    for figure in list.iter().filter(own) {
        let Figure { name, value, unit, .. } = figure;
        let (value, conditions) = (shown(*value), split(figure).0);
        writeln!(table, "| `{name}` | {value} | {unit} | {conditions} |").expect("a string");
    }
    table
}

/// A figure's own conditions, and the machine.
fn split(figure: &Figure) -> (&str, &str) {
    figure.conditions.rsplit_once("; ").unwrap_or((&figure.conditions, ""))
}

/// With as many digits as mean something.
fn shown(value: f64) -> String {
    match value.abs() {
        0.0..10.0 => format!("{value:.3}"),
        10.0..1_000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
