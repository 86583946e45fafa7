//! Decisions as CSV (RFC 4180) that a spreadsheet can open without running what a stranger typed.

use serde::Deserialize;

use super::decision::Decision;

/// The columns, as the first line has them.
pub const HEADER: &str = "decisionId,requestId,caseId,decidedAt,outcome,cancellationReason,customerRecordId,unitId,serviceId,serviceCategoryId,serviceTypeId,cuIndex,appointmentDate,start,duration,channel,bookedBy,triggeredByUserEmail,policyVersion,policies,movedFrom\r\n";

#[derive(Deserialize)]
struct Policy {
    kind: String,
    id: i64,
    mode: String,
    verdict: String,
}

/// Appends a decision's line. `policies` are `kind:id:mode:verdict`, separated by spaces.
pub(super) fn write(line: &mut String, decision: &Decision) {
    let policies: Vec<Policy> = (decision.policies.as_ref())
        .and_then(|policies| serde_json::from_str(policies.get()).ok())
        .unwrap_or_default();
    let policies: Vec<String> = (policies.iter())
        .map(|policy| {
            format!(
                "{}:{}:{}:{}",
                policy.kind, policy.id, policy.mode, policy.verdict
            )
        })
        .collect();
    fn text(value: Option<&impl ToString>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    let decided_at = decision
        .decided_at
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let cells = [
        decision.decision_id.to_string(),
        text(decision.request_id.as_ref()),
        text(decision.case_id.as_ref()),
        decided_at,
        text(decision.outcome.as_ref()),
        text(decision.cancellation_reason.as_ref()),
        text(decision.customer_record_id.as_ref()),
        text(decision.unit_id.as_ref()),
        text(decision.service_id.as_ref()),
        text(decision.service_category_id.as_ref()),
        text(decision.service_type_id.as_ref()),
        text(decision.cu_index.as_ref()),
        text(decision.appointment_date.as_ref()),
        text(decision.start.as_ref()),
        text(decision.duration.as_ref()),
        text(decision.channel.as_ref()),
        text(decision.booked_by.as_ref()),
        text(decision.triggered_by_user_email.as_ref()),
        text(decision.policy_version.as_ref()),
        policies.join(" "),
        text(decision.moved_from.as_ref()),
    ];
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        write_cell(line, cell);
    }
    line.push_str("\r\n");
}

/// A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection"). No number of ours is
/// negative, so nothing else begins so.
fn write_cell(line: &mut String, cell: &str) {
    let is_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let needs_quotes = is_formula || cell.contains([',', '"', '\n', '\r', ';']);
    if !needs_quotes {
        line.push_str(cell);
        return;
    }
    line.push('"');
    if is_formula {
        line.push('\'');
    }
    line.push_str(&cell.replace('"', "\"\""));
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        for (cell, written) in [
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("say \"no\"\n", "\"say \"\"no\"\"\n\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("@SUM(1)", "\"'@SUM(1)\""),
            ("-1+1", "\"'-1+1\""),
            ("\t=1", "\"'\t=1\""),
        ] {
            let mut line = String::new();
            write_cell(&mut line, cell);
            assert_eq!(line, written);
        }
    }
}
