//! What is refused at which level, counted exactly.

use super::*;

const TARGET: Duration = Duration::from_millis(10);

/// How many of a thousand requests of each kind are refused once the three probes have waited so long.
fn refused(wait: Duration) -> [usize; 4] {
    let shedding = Shedding::new(TARGET);
    shedding.tell(&[wait; 3]);
    let kinds = [Kind::PublicRead, Kind::PrivateRead, Kind::Order, Kind::Spared];
    kinds.map(|kind| (0..1_000).filter(|_| shedding.admit(kind).is_err()).count())
}

#[test]
fn reads_of_everybody_are_refused_first_then_those_of_accounts_then_orders_and_cancels_never() {
    assert_eq!(refused(TARGET), [0; 4]);
    assert_eq!(refused(2 * TARGET), [500, 0, 0, 0]);
    assert_eq!(refused(5 * TARGET), [1_000, 250, 0, 0]);
    assert_eq!(refused(9 * TARGET), [1_000, 1_000, 250, 0]);
    assert_eq!(refused(Duration::MAX), [1_000, 1_000, 1_000, 0]);
}

#[test]
fn a_share_is_spread_evenly() {
    let shedding = Shedding::new(TARGET);
    shedding.tell(&[TARGET + TARGET / 5 * 3; 3]);
    let refused: Vec<bool> = (0..10).map(|_| shedding.admit(Kind::PublicRead).is_err()).collect();
    assert_eq!(refused.iter().filter(|&&refused| refused).count(), 4);
    assert!(!refused.windows(2).any(|pair| pair == [true, true]), "{refused:?}");
}

#[test]
fn every_native_route_is_of_the_kind_that_it_should_be() {
    use Kind::{Order, PrivateRead, PublicRead, Spared};
    let kinds = [
        ("GET", "/v1/markets/{symbol}/depth", PublicRead),
        ("GET", "/v1/time", PublicRead),
        ("GET", "/v1/orders/{market}/{id}", PrivateRead),
        ("GET", "/v1/balances", PrivateRead),
        ("GET", "/v1/account/fees", PrivateRead),
        ("POST", "/v1/orders", Order),
        ("PATCH", "/v1/orders/{market}/{id}", Order),
        ("POST", "/v1/orders/replace", Order),
        ("POST", "/v1/order-lists", Order),
        ("DELETE", "/v1/orders", Spared),
        ("DELETE", "/v1/orders/{market}/{id}", Spared),
        ("DELETE", "/v1/order-lists/{market}/{id}", Spared),
        ("PUT", "/v1/countdown", Spared),
        ("POST", "/v1/withdrawals", Spared),
        ("POST", "/v1/transfers", Spared),
        ("GET", "/v1/ws", Spared),
        ("GET", "/v1/admin/accounts", Spared),
    ];
    for (method, path, kind) in kinds {
        assert_eq!(Kind::of(&method.parse().unwrap(), path), kind, "{method} {path}");
    }
}

#[test]
fn figures_tell_what_was_refused_by_class() {
    let shedding = Shedding::new(TARGET);
    shedding.tell(&[2 * TARGET; 3]);
    let refused = (0..10).filter(|_| shedding.admit(Kind::PublicRead).is_err()).count();
    let mut text = String::new();
    shedding.render(&mut text);
    assert_eq!(refused, 5);
    for line in [
        r#"outcry_shed_total{class="public_read"} 5"#,
        r#"outcry_shed_total{class="order"} 0"#,
        "outcry_shed_level 0.5",
        "outcry_lag_seconds 0.02",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\nnot in\n{text}");
    }
}
