//! All that can come in, through two servers at once, while an administrator changes policies: bookings, moves, retries (also at the
//! other server), calls after a booking, and what is rejected.

mod bodies;
mod changes;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use self::bodies::{Case, signed, wire};
use crate::cluster::Database;
use crate::failure::Failure;
use crate::open_loop::Connection;
use crate::requests::mix;
use crate::server::Server;

const CLIENTS: u64 = 48;
const CHANGE_EVERY: Duration = Duration::from_millis(250);
const ORGS: [&str; 2] = ["default", "org-0"];

/// Which case comes next: no run repeats another's.
static NEXT_CASE: AtomicU64 = AtomicU64::new(1);
static NEXT_TURN: AtomicU64 = AtomicU64::new(1);

/// What the clients saw.
#[derive(Debug, Default)]
pub struct Answers {
    pub ok: AtomicU64,
    pub refused: AtomicU64,
}

/// Loads both servers until the ledgers hold so many events.
pub async fn until(
    database: &Database,
    servers: &[Server; 2],
    events: i64,
) -> Result<Answers, Failure> {
    let stop = AtomicBool::new(false);
    let answers = Answers::default();
    let addresses = [servers[0].address.as_str(), servers[1].address.as_str()];
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn({
                    let (stop, answers) = (&stop, &answers);
                    move || book(addresses, client, stop, answers)
                })
            })
            .collect();
        let administrator = scope.spawn(|| administrate(database, &stop));
        let counted = scope.spawn(|| wait_for(database, events, &stop));
        let mut outcome = counted.join().expect("counting does not panic");
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            outcome = outcome.and(client.join().expect("a client does not panic"));
        }
        outcome.and(
            administrator
                .join()
                .expect("the administrator does not panic"),
        )
    })?;
    Ok(answers)
}

fn wait_for(database: &Database, events: i64, stop: &AtomicBool) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(async {
        while !stop.load(Ordering::Relaxed)
            && database
                .number("select sum(last_seq)::bigint from ledger.heads")
                .await?
                < events
        {
            actix_web::rt::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    })
}

fn administrate(database: &Database, stop: &AtomicBool) -> Result<(), Failure> {
    actix_web::rt::System::new().block_on(async {
        let mut connection = database.connect().await?;
        while !stop.load(Ordering::Relaxed) {
            let turn = NEXT_TURN.fetch_add(1, Ordering::Relaxed);
            if let Err(failure) = changes::change(&mut connection, turn).await {
                stop.store(true, Ordering::Relaxed);
                return Err(failure);
            }
            actix_web::rt::time::sleep(CHANGE_EVERY).await;
        }
        Ok(())
    })
}

fn book(
    addresses: [&str; 2],
    client: u64,
    stop: &AtomicBool,
    answers: &Answers,
) -> Result<(), Failure> {
    let done = book_on(addresses, client, stop, answers);
    if done.is_err() {
        stop.store(true, Ordering::Relaxed);
    }
    done
}

fn book_on(
    addresses: [&str; 2],
    client: u64,
    stop: &AtomicBool,
    answers: &Answers,
) -> Result<(), Failure> {
    let [near, far] = if client.is_multiple_of(2) {
        [0, 1]
    } else {
        [1, 0]
    };
    let mut near = Connection::open(addresses[near])?;
    let mut far = Connection::open(addresses[far])?;
    let ask =
        |connection: &mut Connection, wanted: &[u64], request: &[u8]| -> Result<(), Failure> {
            let status = connection.send(request)?;
            if status == 200 || status == 204 {
                answers.ok.fetch_add(1, Ordering::Relaxed);
                Ok(())
            } else if status == 503 || wanted.contains(&status) {
                answers.refused.fetch_add(1, Ordering::Relaxed);
                Ok(())
            } else {
                Err(Failure::Wrong {
                    what: "HTTP status",
                    wanted: 200,
                    got: status,
                })
            }
        };
    while !stop.load(Ordering::Relaxed) {
        let number = NEXT_CASE.fetch_add(1, Ordering::Relaxed);
        let random = mix(!number);
        let org = ORGS[(random >> 60) as usize % 2];
        let case = Case { number, slot: 0 };
        let body = case.body();
        let booking = signed(org, "beforeBookAppointment", &body);
        ask(&mut near, &[], &booking)?;
        match random % 20 {
            0 => ask(&mut near, &[], &booking)?,
            1 | 2 => ask(&mut far, &[], &booking)?,
            3 | 4 => {
                let moved = Case { slot: 1, ..case }.body();
                ask(&mut far, &[], &signed(org, "beforeBookAppointment", &moved))?;
                if random & 0x100 == 0 {
                    // The old request again is a move back: another place is held by now.
                    ask(&mut near, &[], &booking)?;
                }
            }
            5 | 6 => ask(&mut near, &[], &signed(org, "afterBookAppointment", &body))?,
            7 | 8 => {
                let closed = format!(r#"{{"caseId": "{}"}}"#, case.id());
                ask(&mut far, &[], &signed(org, "afterClose", &closed))?;
                if random & 0x100 == 0 {
                    ask(&mut near, &[], &booking)?;
                }
            }
            9 if random & 0x700 == 0 => {
                ask(
                    &mut near,
                    &[401],
                    &wire(org, "beforeBookAppointment", &body, "guessed"),
                )?;
                ask(
                    &mut far,
                    &[400, 422],
                    &signed(org, "beforeBookAppointment", &body[..body.len() / 2]),
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}
