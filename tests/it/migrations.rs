//! What migrations make of a ledger that was there before them.

use bookwarden::ledger::counts::NUMBERS;
use bookwarden::replay::Scope;
use sqlx::Connection as _;

use crate::audit_counts::{nobody_counts, until_counted};
use crate::support::{TestApp, booking};
use crate::tampering::verified;

const V5: &str = include_str!("../../migrations/V5__audit.sql");
const V8: &str = include_str!("../../migrations/V8__first_hits_in_order.sql");

/// The decisions that met a policy, by two ways to search for them.
async fn found(app: &TestApp) -> [Vec<i64>; 2] {
    let policy = "policyKind=capacity_caps&policyId=1&limit=200";
    let mut found = [Vec::new(), Vec::new()];
    for (found, query) in found
        .iter_mut()
        .zip([policy.to_owned(), format!("{policy}&cuIndex=0")])
    {
        let (status, page) = app.get(&format!("/v1/decisions?{query}")).await;
        assert!(status.is_success(), "{page}");
        let items = page["items"].as_array().expect("items");
        found.extend(items.iter().filter_map(|item| item["decisionId"].as_i64()));
    }
    found
}

/// One row of all that came after, as of a batch that began within the block and ended behind it.
const ONE_BATCH: &str = "
    with later as (delete from ledger.policy_hits where seqs[1] > {first} returning *)
    insert into ledger.policy_hits
    select l.org, l.policy_kind, l.policy_id, l.verdict, l.mode, 700, array_agg(s.seq order by s.seq)
    from later l cross join unnest(l.seqs) as s (seq) group by 1, 2, 3, 4, 5";

#[tokio::test]
async fn decisions_from_before_the_audit_are_in_order_with_those_that_came_later() {
    for later in ["select", ONE_BATCH] {
        let app = TestApp::start().await;
        app.sql("insert into policy.capacity_caps (max_appointments) values (1000)")
            .await;
        let decisions = async |count: i64| {
            for _ in 0..count {
                assert!(!app.book(&booking()).await.cancelled());
            }
        };
        decisions(10).await;
        let first = app.number("select last_seq from ledger.heads").await;
        let filled = V5.rfind("insert into ledger.policy_hits").expect("its end");
        let fill = &V5[filled..];
        app.sql(&format!("truncate ledger.policy_hits; {fill}"))
            .await;
        // So many that a range is full that has some from before and some from after.
        let held = nobody_counts(&app).await;
        decisions(NUMBERS).await;
        app.sql(&later.replace("{first}", &first.to_string())).await;
        held.close().await.expect("closed");
        until_counted(&app).await;
        assert!(
            !verified(&app, Scope::default()).await.holds(),
            "this is what is to be mended; else the test shows nothing"
        );

        app.sql(V8).await;
        until_counted(&app).await;
        app.check().await;
        let all = "select string_agg(seq::text, ' ' order by seq desc) from ledger.events where type = 'booking.decided'";
        let all = app.text(all).await;
        for found in found(&app).await {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), all);
        }
    }
}
