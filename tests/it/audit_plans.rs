//! Search in a ledger that is large enough for every way in which a search is run: what it finds is what plain SQL finds.

use reqwest::StatusCode;

use crate::support::TestApp;

/// 12,000 decisions. Agents book at even calendars in the first half and at odd ones in the second, so that `cuIndex` and `bookedBy`
/// hardly meet; some have no channel; some 340 reasons are each told once; dates are up to 40 days ahead; policy 1 met every third, a hundred a batch.
const GROWN: &str = "
    insert into ledger.events (
        org, seq, recorded_at, type, payload_digest, chain, case_id, request_digest, outcome, unit_id, service_id, service_type_id, cu_index,
        appointment_date, start_minute, duration, channel, booked_by, customer_record_id, triggered_by_user_email, cancellation_reason)
    select 'default', n, timestamptz '2027-01-01' + n * interval '10 minutes', 'booking.decided', '', '', gen_random_uuid(), '',
           case when n % 5 = 0 then 'cancelled' else 'approved' end, md5('unit' || n % 3)::uuid, md5('service' || n % 21)::uuid,
           md5('type' || n % 42)::uuid, n % 2,
           date '2027-01-01' + n / 144 + n * 7 % 41, 600, 15, case when n % 7 > 0 then 'Phone' end,
           case when (n % 2 = 0) = (n < 6000) or n % 1999 = 0 then 'agent' else 'self-service' end, md5('customer' || n % 500)::uuid,
           case when (n % 2 = 0) = (n < 6000) then 'agent' || n % 40 || '@example.org' end,
           case when n % 35 = 0 then 'odd ' || n when n % 5 = 0 then 'full ' || n % 30 end
    from generate_series(101, 12100) n;
    insert into ledger.policy_hits (org, policy_kind, policy_id, verdict, mode, batch_seq, seqs)
    select 'default', 'rules', 1, case when n % 2 = 0 then 'changed' else 'allowed' end, 'enforce', n / 100 * 100 + 99, array_agg(n order by n)
    from generate_series(102, 12100, 3) n group by 4, 6;
    update ledger.heads set last_seq = 12200, last_recorded_at = timestamptz '2027-04-01' where org = 'default'";

#[tokio::test]
async fn every_way_to_search_finds_what_sql_finds() {
    let app = TestApp::start().await;
    app.sql(GROWN).await;
    let met = "e.seq % 3 = 0";
    let id = |name: &str| format!("md5('{name}')::uuid");
    let unit = app.text("select md5('unit1')::uuid::text").await;
    let service = app.text("select md5('service4')::uuid::text").await;
    let service_type = app.text("select md5('type4')::uuid::text").await;
    for (query, condition) in [
        (
            "cuIndex=1&bookedBy=agent".to_owned(),
            "cu_index = 1 and booked_by = 'agent'".to_owned(),
        ),
        (
            "cuIndex=0&bookedBy=agent&outcome=cancelled".into(),
            "cu_index = 0 and booked_by = 'agent' and outcome = 'cancelled'".into(),
        ),
        ("outcome=cancelled".into(), "outcome = 'cancelled'".into()),
        (
            "channel=Phone&reason=FULL".into(),
            "channel = 'Phone' and cancellation_reason like 'full%'".into(),
        ),
        (
            "reason=full%2015&cuIndex=1".into(),
            "cancellation_reason = 'full 15' and cu_index = 1".into(),
        ),
        (
            "appointmentFrom=2027-02-20&bookedBy=agent".into(),
            "appointment_date >= '2027-02-20' and booked_by = 'agent'".into(),
        ),
        (
            "appointmentUntil=2027-01-20&cuIndex=1".into(),
            "appointment_date < '2027-01-20' and cu_index = 1".into(),
        ),
        (
            "appointmentFrom=2027-02-01&appointmentUntil=2027-02-03".into(),
            "appointment_date in ('2027-02-01', '2027-02-02')".into(),
        ),
        (
            "reason=full".into(),
            "cancellation_reason like 'full%'".into(),
        ),
        (
            "reason=odd".into(),
            "cancellation_reason like 'odd%'".into(),
        ),
        (
            "reason=odd&appointmentFrom=2027-01-10".into(),
            "cancellation_reason like 'odd%' and appointment_date >= '2027-01-10'".into(),
        ),
        (
            "outcome=cancelled&reason=full%2015".into(),
            "cancellation_reason = 'full 15'".into(),
        ),
        ("outcome=approved&reason=full".into(), "false".into()),
        (
            "reason=full&appointmentFrom=2027-02-01&appointmentUntil=2027-02-20".into(),
            "cancellation_reason like 'full%' and appointment_date >= '2027-02-01' and appointment_date < '2027-02-20'".into(),
        ),
        (
            "appointmentFrom=2027-02-20".into(),
            "appointment_date >= '2027-02-20'".into(),
        ),
        (
            "appointmentUntil=2027-01-20".into(),
            "appointment_date < '2027-01-20'".into(),
        ),
        (
            "policyKind=rules&policyId=1&cuIndex=1".into(),
            format!("{met} and cu_index = 1"),
        ),
        (
            "policyKind=rules&policyId=1&policyVerdict=changed&cuIndex=1".into(),
            "false".into(),
        ),
        (
            "policyKind=rules&policyId=1&appointmentFrom=2027-03-01&bookedBy=agent".into(),
            format!("{met} and appointment_date >= '2027-03-01' and booked_by = 'agent'"),
        ),
        (
            format!("unitId={unit}&serviceId={service}"),
            format!(
                "unit_id = {} and service_id = {}",
                id("unit1"),
                id("service4")
            ),
        ),
        (
            format!("unitId={unit}&serviceTypeId={service_type}"),
            format!(
                "unit_id = {} and service_type_id = {}",
                id("unit1"),
                id("type4")
            ),
        ),
        (
            format!("serviceTypeId={service_type}&bookedBy=agent&cuIndex=1"),
            format!(
                "service_type_id = {} and booked_by = 'agent' and cu_index = 1",
                id("type4")
            ),
        ),
    ] {
        for (order, sql_order) in [("newest", "desc"), ("oldest", "asc")] {
            let wanted = app
                .text(&format!(
                    "select coalesce(string_agg(seq::text, ' ' order by seq {sql_order}), '') from ledger.events e where type = 'booking.decided' and {condition}"
                ))
                .await;
            let (mut found, mut cursor) = (Vec::new(), String::new());
            loop {
                // Small pages, where there are more dates than a page has decisions.
                let limit = if query.contains("odd") { 20 } else { 200 };
                let path = format!("/v1/decisions?{query}&order={order}&limit={limit}{cursor}");
                let (status, page) = app.get(&path).await;
                assert_eq!(status, StatusCode::OK, "{path}: {page}");
                let items = page["items"].as_array().unwrap();
                found.extend(items.iter().map(|item| item["decisionId"].to_string()));
                let Some(next) = page["nextCursor"].as_str() else {
                    break;
                };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(found.join(" "), wanted, "{query} {order}");
        }
    }
}
