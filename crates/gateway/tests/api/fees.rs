//! Tiers, rebates, rates of markets and the fee schedule.

use serde_json::json;

use crate::client::Client;
use crate::world::World;

const MARKET_FEES: &str = "/v1/admin/markets/BTC-USDT/fee-tiers/0";

#[tokio::test(flavor = "multi_thread")]
async fn a_rebate_is_told_with_the_fill_and_in_the_ledger_entries() {
    let world = World::new().await;
    let rates = json!({"maker_ppm": -500, "taker_ppm": 1000});
    world.admin("PUT", "/v1/admin/fee-tiers/0", rates).await.ok();
    world.limit(&world.alice, "sell", "50000", "1").await.ok();
    let bought = world.limit(&world.bob, "buy", "50000", "1").await.ok();
    let taken = &bought["fills"][0];
    assert_eq!((&taken["fee"], &taken["rebate"]), (&json!("0.00100000"), &json!("0.000000")));
    let made = world.first_fill(&world.alice).await;
    assert_eq!((&made["fee"], &made["fee_asset"]), (&json!("0.000000"), &json!("USDT")));
    assert_eq!((&made["rebate"], &made["rebate_asset"]), (&json!("0.00050000"), &json!("BTC")));
    world.settles(&world.alice, "BTC", "9.00050000", "0.00000000").await;
    let entries = loop {
        let entries = world.get(&world.alice, "/v1/ledger?asset=BTC").await.ok();
        if entries["entries"][0]["kind"] == "rebate" {
            break entries;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(entries["entries"][0]["change"], "0.00050000");
    assert_eq!(entries["entries"][1]["change"], "-1.00000000");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_volume_leads_it_to_its_tier() {
    let world = World::new().await;
    let rates = json!({"maker_ppm": 0, "taker_ppm": 100});
    world.admin("PUT", "/v1/admin/fee-tiers/1", rates.clone()).await.ok();
    let schedule = json!({
        "tiers": [{"tier": 0, "least_volume": "0"}, {"tier": 1, "least_volume": "100"}],
        "quotes": [{"asset": "USDT", "numerator": 1, "denominator": 1_000_000}],
    });
    world.admin("PUT", "/v1/admin/fee-schedule", schedule.clone()).await.ok();
    let listed = world.get(&Client::default(), "/v1/fee-tiers").await.ok();
    assert_eq!(listed["schedule"], schedule);
    world.limit(&world.alice, "sell", "50000", "1").await.ok();
    let bought = world.limit(&world.bob, "buy", "50000", "0.01").await.ok();
    let path = format!("/v1/account/fees?min_seq={}:{}", bought["partition"], bought["seq"]);
    let fees = world.get(&world.bob, &path).await.ok();
    assert_eq!((&fees["volume"], &fees["fee_tier"]), (&json!("500"), &json!(1)));
    assert_eq!(fees["days"][0]["volume"], "500");
    let expected = json!([{"market": "BTC-USDT", "tier": 1, "maker_ppm": 0, "taker_ppm": 100}]);
    assert_eq!(fees["markets"], expected);
    let bought = world.limit(&world.bob, "buy", "50000", "0.01").await.ok();
    assert_eq!(bought["order"]["fee"], "0.00000100", "a hundredth of a percent");

    let tier = "/v1/admin/accounts/2/fee-tier";
    world.admin("PUT", tier, json!({"fee_tier": 0})).await.ok();
    let fees = world.get(&world.bob, "/v1/account/fees").await.ok();
    assert_eq!((&fees["fee_tier"], &fees["pinned"]), (&json!(0), &json!(true)));
    world.admin("PUT", tier, json!({"fee_tier": null})).await.ok();
    let fees = world.get(&world.bob, "/v1/account/fees").await.ok();
    assert_eq!((&fees["fee_tier"], &fees["pinned"]), (&json!(1), &json!(false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_of_a_market_come_and_go() {
    let world = World::new().await;
    world.admin("PUT", MARKET_FEES, json!({"maker_ppm": -10, "taker_ppm": 20})).await.ok();
    let listed = async || world.get(&Client::default(), "/v1/fee-tiers").await.ok();
    let own = json!([{"market": "BTC-USDT", "tier": 0, "maker_ppm": -10, "taker_ppm": 20}]);
    assert_eq!(listed().await["market_fees"], own);
    world.delete(&world.operator, MARKET_FEES).await.ok();
    assert_eq!(listed().await["market_fees"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_fees_are_named() {
    let world = World::new().await;
    let refused = world.admin("PUT", MARKET_FEES, json!({"maker_ppm": 0, "taker_ppm": 1_000_001}));
    assert_eq!(refused.await.code(), "InvalidDefinition");
    let unknown = "/v1/admin/markets/BTC-USDT/fee-tiers/9";
    let refused = world.admin("PUT", unknown, json!({"maker_ppm": 0, "taker_ppm": 0})).await;
    assert_eq!(refused.code(), "UnknownFeeTier");
    let schedule = |tier: u8, least: &str, asset: &str| {
        let quotes = json!([{"asset": asset, "numerator": 1, "denominator": 1}]);
        json!({"tiers": [{"tier": tier, "least_volume": least}], "quotes": quotes})
    };
    let path = "/v1/admin/fee-schedule";
    for (body, code) in [
        (schedule(0, "1", "USDT"), "InvalidDefinition"),
        (schedule(9, "0", "USDT"), "UnknownFeeTier"),
        (schedule(0, "0", "GOLD"), "UnknownAsset"),
        (schedule(0, "0.5", "USDT"), "InvalidField"),
    ] {
        assert_eq!(world.admin("PUT", path, body).await.code(), code);
    }
    assert_eq!(world.get(&world.alice, "/v1/account/fees").await.ok()["volume"], "0");
}
