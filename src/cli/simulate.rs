//! `bookwarden simulate`

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, value_parser};

use super::connection::DataDir;
use super::progress::Bar;
use super::{CliError, input, table};
use crate::audit;
use crate::org::Org;
use crate::policy::decide::Outcome;
use crate::policy::row::Mode;
use crate::replay::{
    Bounds, Change, Differing, Finding, Outcomes, Period, Simulated, Unmet, WouldBe, simulate,
};

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// SQL that changes policies, as psql would run it (- for standard input); it is rolled back. Without it: policies as they are now,
    /// from the period's beginning on
    file: Option<PathBuf>,
    /// The organization
    #[arg(long, default_value = "default")]
    org: Org,
    /// Decide again from this ledger number on; what comes before is folded in as recorded
    #[arg(long, value_name = "NUMBER", conflicts_with = "since", value_parser = value_parser!(i64).range(1..))]
    from: Option<i64>,
    /// Up to this ledger number
    #[arg(long, value_name = "NUMBER", conflicts_with = "until", value_parser = value_parser!(i64).range(1..))]
    to: Option<i64>,
    /// Decide again what was asked from this time on: a date (midnight UTC) or a time of RFC 3339
    #[arg(long, value_name = "TIME", value_parser = audit::parse_time)]
    since: Option<DateTime<Utc>>,
    /// What was asked before this time
    #[arg(long, value_name = "TIME", value_parser = audit::parse_time)]
    until: Option<DateTime<Utc>>,
    /// Tell at most so many of the answers that differ, and of the policies' verdicts
    #[arg(long, value_name = "N", default_value_t = 20)]
    most: usize,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DataDir,
}

pub(super) async fn run(args: SimulateArgs) -> Result<(), CliError> {
    let sql = args.file.as_deref().map(input::read_text).transpose()?;
    let mut connection = args.database.connect().await?;
    let bounds = Bounds {
        from: args.from,
        to: args.to,
        since: args.since,
        until: args.until,
    };
    let period = Period::find(&mut connection, args.org, bounds).await?;
    let change = match &sql {
        Some(sql) => Change::of_sql(&mut connection, &period.org, sql).await?,
        None => Change::since(&mut connection, &period).await?,
    };
    let mut bar = Bar::new("events");
    let simulated = simulate(&mut connection, &period, &change, args.most, &mut bar).await?;
    drop(bar);
    let mut out = std::io::stdout().lock();
    if args.json {
        let line =
            serde_json::to_string(&simulated).map_err(|error| CliError::Output(error.into()))?;
        return writeln!(out, "{line}").map_err(CliError::Output);
    }
    print(&mut out, &simulated).map_err(CliError::Output)
}

fn print(out: &mut impl Write, simulated: &Simulated) -> std::io::Result<()> {
    let Simulated {
        org,
        from,
        to,
        changed_policies,
        decisions,
        differing,
        newly_cancelled,
        newly_booked,
        ..
    } = simulated;
    let policies = counted(*changed_policies, "policy", "policies");
    let decisions = counted(*decisions, "decision", "decisions");
    writeln!(
        out,
        "ledger {org}, events {from} to {to}: {decisions}, with {policies} otherwise than recorded"
    )?;
    if simulated.not_decided > 0 {
        writeln!(
            out,
            "{} more were erased or cannot be read, and are taken as recorded",
            simulated.not_decided
        )?;
    }
    outcomes(out, simulated)?;
    if *differing == 0 {
        writeln!(out, "no answer differs")?;
    } else {
        let others = differing - newly_cancelled - newly_booked;
        writeln!(
            out,
            "{}: {newly_cancelled} booked would be cancelled, {newly_booked} cancelled would be booked, {others} would say something else",
            counted(*differing, "answer differs", "answers differ")
        )?;
    }
    if !simulated.findings.is_empty() {
        writeln!(
            out,
            "\nverdicts that policies would have given more or less often:"
        )?;
        let rows: Vec<_> = simulated.findings.iter().map(row).collect();
        let headings = ["policy", "name", "verdict", "recorded", "simulated"];
        table::write(out, headings, &rows)?;
    }
    untold(out, simulated.differing_findings - simulated.findings.len())?;
    for finding in &simulated.findings {
        if let Some(error) = &finding.error {
            writeln!(out, "{} {}: {error}", finding.kind, finding.id)?;
        }
    }
    unmet(out, simulated)?;
    if !simulated.differences.is_empty() {
        writeln!(out, "\nanswers that differ:")?;
    }
    for differing in &simulated.differences {
        writeln!(out, "{}", difference(differing))?;
    }
    let told = u64::try_from(simulated.differences.len()).unwrap_or_default();
    untold(out, differing - told)
}

/// Why a policy does nothing is what is asked when it does not.
fn unmet(out: &mut impl Write, simulated: &Simulated) -> std::io::Result<()> {
    if simulated.unmet.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nthat would have met no booking (off, not active then, or out of scope):"
    )?;
    for Unmet { kind, id, name } in &simulated.unmet {
        let name = name.as_deref().unwrap_or_default();
        writeln!(out, "{}", format!("{kind} {id}  {name}").trim_end())?;
    }
    untold(out, simulated.meeting_none - simulated.unmet.len())
}

fn counted<T: Display + PartialEq + From<u8>>(count: T, one: &str, many: &str) -> String {
    let what = if count == T::from(1) { one } else { many };
    format!("{count} {what}")
}

fn untold<T: Display + Default + PartialEq>(out: &mut impl Write, count: T) -> std::io::Result<()> {
    if count == T::default() {
        return Ok(());
    }
    writeln!(out, "and {count} more (--most)")
}

fn outcomes(out: &mut impl Write, simulated: &Simulated) -> std::io::Result<()> {
    let of = |outcomes: &Outcomes| [outcomes.approved, outcomes.modified, outcomes.cancelled];
    let both = of(&simulated.recorded)
        .into_iter()
        .zip(of(&simulated.simulated));
    let mut rows: Vec<[String; 3]> = (["approved", "modified", "cancelled"].into_iter())
        .zip(both)
        .map(|(outcome, (recorded, simulated))| {
            [
                outcome.to_owned(),
                recorded.to_string(),
                simulated.to_string(),
            ]
        })
        .collect();
    if simulated.answered_again > 0 {
        let again = simulated.answered_again.to_string();
        rows.push(["answered as before".to_owned(), String::new(), again]);
    }
    table::write(out, ["outcome", "recorded", "simulated"], &rows)
}

fn row(finding: &Finding) -> [String; 5] {
    let shadow = if finding.mode == Mode::Shadow {
        " (shadow)"
    } else {
        ""
    };
    [
        format!("{} {}", finding.kind, finding.id),
        finding.name.clone().unwrap_or_default(),
        format!("{}{shadow}", finding.verdict.as_str()),
        finding.recorded.to_string(),
        finding.simulated.to_string(),
    ]
}

fn difference(differing: &Differing) -> String {
    let Differing {
        decision_id,
        appointment_date,
        start,
        cu_index,
        service_id,
        recorded,
        ..
    } = differing;
    let (hour, minute) = (start / 60, start % 60);
    let said = |reason: Option<&str>| reason.map(|reason| format!(": {reason:?}"));
    let was = recorded.outcome.as_str();
    let was_said = said(recorded.cancellation_reason.as_deref()).unwrap_or_default();
    let would_be = match &differing.simulated {
        WouldBe::Decided(answer) => {
            let outcome = answer.outcome.as_str();
            match said(answer.cancellation_reason.as_deref()) {
                Some(said) => format!("{outcome}{said}"),
                None if answer.outcome == Outcome::Modified => {
                    format!("{outcome}: {}", answer.response.get())
                }
                None => outcome.to_owned(),
            }
        }
        WouldBe::Again {
            answered_as,
            cancelled,
        } => {
            let outcome = if *cancelled { "cancelled" } else { "booked" };
            format!("{outcome} as by decision {answered_as}")
        }
    };
    format!(
        "decision {decision_id} ({appointment_date} {hour:02}:{minute:02}, calendar {cu_index} of service {service_id}): {was}{was_said}; would be {would_be}"
    )
}
