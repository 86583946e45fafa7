//! What migrations make of a ledger that was there before them.

use bookwarden::ledger::counts::NUMBERS;
use bookwarden::replay::Scope;
use sqlx::Connection as _;

use crate::audit_counts::{nobody_counts, until_counted};
use crate::audit_search::found;
use crate::support::{TestApp, booking};
use crate::tampering::verified;

const V5: &str = include_str!("../../migrations/V5__audit.sql");
const V8: &str = include_str!("../../migrations/V8__first_hits_in_order.sql");

/// Numbers of a block of V5's.
const BLOCK: i64 = 500;

/// One row of all that came after, as of a batch that began within the block and ended behind it.
const ONE_BATCH: &str = "
    with later as (delete from ledger.policy_hits where seqs[1] > {first} returning *)
    insert into ledger.policy_hits
    select l.org, l.policy_kind, l.policy_id, l.verdict, l.mode, 700, array_agg(s.seq order by s.seq)
    from later l cross join unnest(l.seqs) as s (seq) group by 1, 2, 3, 4, 5";

/// A cap that everybody meets, and decisions from before V5, as V5 leaves them. Answers the last number of the ledger.
async fn with_first_decisions(app: &TestApp) -> i64 {
    app.sql("insert into policy.capacity_caps (max_appointments) values (1000)")
        .await;
    decide(app, 10).await;
    let filled = V5.rfind("insert into ledger.policy_hits").expect("its end");
    let fill = &V5[filled..];
    app.sql(&format!("truncate ledger.policy_hits; {fill}"))
        .await;
    app.number("select last_seq from ledger.heads").await
}

async fn decide(app: &TestApp, decisions: i64) {
    for _ in 0..decisions {
        assert!(!app.book(&booking()).await.cancelled());
    }
}

/// The ledger and its projections hold, and the first decisions are found by either way to search by policy.
async fn assert_in_order(app: &TestApp) {
    until_counted(app).await;
    app.check().await;
    let first = "select string_agg(seq::text, ' ' order by seq) from (
        select seq from ledger.events where type = 'booking.decided' order by seq limit 200) as first";
    let first = app.text(first).await;
    for other in ["", "&cuIndex=0"] {
        let query = format!("policyKind=capacity_caps&policyId=1&order=oldest&limit=200{other}");
        let found = found(app, &query).await;
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), first);
    }
}

#[tokio::test]
async fn decisions_from_before_the_audit_are_put_in_order_with_those_that_came_later() {
    for later in ["select", ONE_BATCH] {
        let app = TestApp::start().await;
        let first = with_first_decisions(&app).await;
        // So many that the head has passed the block's end.
        let held = nobody_counts(&app).await;
        decide(&app, BLOCK / 2).await;
        app.sql(&later.replace("{first}", &first.to_string())).await;
        held.close().await.expect("closed");
        until_counted(&app).await;
        assert!(
            !verified(&app, Scope::default()).await.holds(),
            "this is what is to be mended; else the test shows nothing"
        );
        app.sql(V8).await;
        assert_in_order(&app).await;
    }
}

#[tokio::test]
async fn decisions_from_before_the_audit_stay_in_order_if_nothing_came_later_yet() {
    let app = TestApp::start().await;
    with_first_decisions(&app).await;
    app.sql(V8).await;
    decide(&app, NUMBERS).await;
    assert_in_order(&app).await;
}
