//! `docs/compatibility.md` names every endpoint that there is, and no other.

use std::collections::BTreeSet;

#[test]
fn the_page_names_exactly_the_endpoints_that_there_are() {
    let page = include_str!("../../../../docs/compatibility.md");
    let mut told = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let (name, state) = (cells[1].trim_matches('`'), cells[2]);
        assert!(["full", "partial", "absent"].contains(&state), "{line}");
        assert_eq!(cells[3].is_empty(), state == "full", "what differs, or why: {line}");
        if state != "absent" {
            assert!(told.insert(name.to_owned()), "twice: {name}");
        }
    }
    let there: BTreeSet<_> = gateway::binance_endpoints().into_iter().collect();
    assert_eq!(told, there);
}

#[test]
fn the_pages_numbers_are_those_that_count() {
    let page = include_str!("../../../../docs/compatibility.md");
    let limits = gateway::Limits::default();
    for claim in [
        format!("Reaches back {},{:03} of", views::MAX_CANDLES / 1_000, views::MAX_CANDLES % 1_000),
        format!("more than {} messages a second", limits.stream_rate),
        format!("{} hours", limits.stream_life.as_secs() / 3_600),
    ] {
        assert!(page.contains(&claim), "{claim}");
    }
}
