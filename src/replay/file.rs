//! An exported ledger: one JSON object a line, `{"event": …}` with every column, an `{"attachment": …}` before the event that names it,
//! and each ledger's `{"head": …}` after its last event, without which a cut-off file would look whole.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::copied::{Stretch, read_events};
use super::database::{self, STRETCH};
use super::event::{StoredAttachment, StoredEvent, StoredHead};
use super::prepared::Gathered;
use super::reading::in_snapshot;
use super::report::Summary;
use super::run::{Replay, ReplayError, Scope, Start, Watch};
use super::snapshot::Writer;
use super::view::Event;
use crate::org::Org;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<Event, Attachment, Head> {
    Event(Event),
    Attachment(Attachment),
    Head(Head),
}

type ReadLine = Line<Box<StoredEvent>, StoredAttachment, StoredHead>;
type WrittenLine<'a> = Line<&'a StoredEvent, &'a StoredAttachment, &'a StoredHead>;

fn write(out: &mut dyn Write, line: &WrittenLine<'_>) -> Result<(), std::io::Error> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// One event, after the attachment that it names.
fn write_event(out: &mut dyn Write, event: &StoredEvent) -> Result<(), std::io::Error> {
    if let Some(attachment) = &event.attachment {
        write(out, &Line::Attachment(attachment))?;
    }
    write(out, &Line::Event(event))
}

/// Writes the ledgers of some organizations, each as it ends when its end is reached.
///
/// # Errors
/// When the database or the file fails.
pub async fn export(
    connection: &mut PgConnection,
    orgs: &[Org],
    out: &mut dyn Write,
    watch: &mut dyn Watch,
) -> Result<u64, ReplayError> {
    let mut heads = database::heads(connection).await?;
    heads.retain(|head| orgs.iter().any(|org| org.as_str() == head.org));
    watch.total(
        heads
            .iter()
            .filter_map(|head| u64::try_from(head.last_seq).ok())
            .sum(),
    );
    let mut written = 0;
    for head in &heads {
        written += write_ledger(connection, &head.org, out, watch).await?;
    }
    out.flush()?;
    Ok(written)
}

/// The organizations that have a ledger: this one, or all.
///
/// # Errors
/// When the database fails, or there is no such organization.
pub async fn with_ledger(
    connection: &mut PgConnection,
    org: Option<&Org>,
) -> Result<Vec<Org>, ReplayError> {
    let heads = database::heads(connection).await?;
    // The table takes no other names.
    let mut orgs: Vec<Org> = (heads.iter())
        .filter_map(|head| head.org.parse().ok())
        .collect();
    if let Some(org) = org {
        orgs.retain(|with_ledger| with_ledger == org);
        if orgs.is_empty() {
            return Err(ReplayError::UnknownOrg(org.clone()));
        }
    }
    Ok(orgs)
}

/// Writes one ledger in short snapshots, like a replay of the database; its head is of the snapshot in which it ends.
async fn write_ledger(
    connection: &mut PgConnection,
    org: &str,
    out: &mut dyn Write,
    watch: &mut dyn Watch,
) -> Result<u64, ReplayError> {
    let mut written = 0;
    let mut stretch = Stretch {
        from: i64::MIN,
        to: i64::MAX,
        at_most: STRETCH,
    };
    loop {
        let head = in_snapshot(connection, async |connection| {
            let mut next = stretch.from;
            let read = read_events::<ReplayError>(connection, org, stretch, |events| {
                for event in events {
                    write_event(out, &event.to_stored())?;
                    next = event.seq.saturating_add(1);
                }
                written += events.len() as u64;
                watch.advance(events.len() as u64);
                Ok(())
            })
            .await?;
            stretch.from = next;
            if read == STRETCH {
                return Ok(None);
            }
            let head = database::head(connection, org).await?;
            Ok::<_, ReplayError>(Some(head))
        })
        .await?;
        if let Some(head) = head {
            write(out, &Line::Head(&head))?;
            return Ok(written);
        }
    }
}

/// Replays an exported file: no database is needed.
pub(super) fn replay(
    mut input: impl BufRead,
    scope: Scope,
    starts: BTreeMap<String, Start>,
    mut save: Option<&mut Writer>,
    watch: &mut dyn Watch,
) -> Result<Summary, ReplayError> {
    let mut replay = Replay::new(scope, starts);
    let mut seen: Vec<String> = Vec::new();
    let mut attachment = None;
    let mut gathered = Gathered::new();
    let mut text = String::new();
    let (mut line, mut from) = (0, 0);
    loop {
        text.clear();
        let bytes = input.read_line(&mut text)?;
        if bytes == 0 {
            break;
        }
        line += 1;
        watch.advance(bytes.try_into().unwrap_or_default());
        let read: ReadLine =
            serde_json::from_str(&text).map_err(|source| ReplayError::Line { line, source })?;
        let org = match &read {
            Line::Event(event) => &event.org,
            Line::Attachment(new) => {
                attachment = Some(new.clone());
                continue;
            }
            Line::Head(head) => &head.org,
        };
        if !replay.concerns(org) {
            continue;
        }
        if replay.current() != Some(org) {
            end(&mut replay, &mut gathered, None, &mut save)?;
            if seen.contains(org) {
                return Err(ReplayError::Scattered {
                    line,
                    org: org.clone(),
                });
            }
            seen.push(org.clone());
            from = replay.begin(org);
        }
        match read {
            Line::Event(mut event) => {
                event.attachment = attachment
                    .take()
                    .filter(|attachment| Some(attachment.attachment_id) == event.attachment_id);
                if event.seq >= from && event.seq <= replay.scope().to.unwrap_or(i64::MAX) {
                    let rows = (event.attachment.as_ref())
                        .and_then(|attachment| attachment.payload.as_ref());
                    let attached = rows.map_or(0, String::len);
                    gathered.add(*event, bytes + attached);
                    if gathered.are_enough() {
                        pass_on(&mut replay, &mut gathered);
                    }
                }
            }
            Line::Head(head) => end(&mut replay, &mut gathered, Some(&head), &mut save)?,
            Line::Attachment(_) => {}
        }
    }
    end(&mut replay, &mut gathered, None, &mut save)?;
    match &replay.scope().org {
        Some(org) if seen.is_empty() => Err(ReplayError::UnknownOrg(org.clone())),
        None if seen.is_empty() => Err(ReplayError::NoLedger),
        _ => Ok(replay.finish()),
    }
}

fn pass_on(replay: &mut Replay, gathered: &mut Gathered<StoredEvent>) {
    let events: Vec<Event<'_>> = gathered.events().iter().map(StoredEvent::view).collect();
    replay.events(&events);
    gathered.clear();
}

fn end(
    replay: &mut Replay,
    gathered: &mut Gathered<StoredEvent>,
    head: Option<&StoredHead>,
    save: &mut Option<&mut Writer>,
) -> Result<(), ReplayError> {
    pass_on(replay, gathered);
    if let (Some(reached), Some(writer)) = (replay.end(head), save) {
        writer.write(&reached)?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn write_events(
    out: &mut dyn Write,
    events: &[StoredEvent],
    head: &StoredHead,
) -> Result<(), std::io::Error> {
    for event in events {
        write_event(out, event)?;
    }
    write(out, &Line::Head(head))
}
