//! A load of bookings that writes down what each was answered, and the proof that the ledger says the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bookwarden::cubu::signature;
use reqwest::{Client, StatusCode};
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::app::{SECRET, booking};

/// What became of one booking.
#[derive(Debug)]
pub struct Asked {
    pub body: String,
    pub took: Duration,
    pub end: End,
}

/// How a request ended.
#[derive(Debug)]
pub enum End {
    /// Decided.
    Answered { decision_id: i64, text: String },
    /// Another answer.
    Problem {
        status: StatusCode,
        retry_after: bool,
    },
    /// No connection could be made.
    Refused,
    /// The connection ended before the answer began.
    Lost,
    /// The answer broke off.
    BrokenOff,
}

/// Bookings that are sent until they are stopped.
pub struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Vec<Asked>>>,
}

/// How many days the bookings are spread over.
const DAYS: usize = 5;

impl Load {
    /// So many senders, each with one booking at a time; every booking is a case of its own.
    pub fn start(url: &str, senders: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = Client::new();
        let senders = (0..senders)
            .map(|sender| {
                let (stop, client, url) = (Arc::clone(&stop), client.clone(), url.to_owned());
                tokio::spawn(async move {
                    let mut asked = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let mut booking = booking();
                        let day = 1 + (sender + asked.len()) % DAYS;
                        booking["appointment"]["date"] = json!(format!("2027-03-{day:02}"));
                        let one = ask(&client, &url, booking.to_string()).await;
                        // Who is turned away looks at the clock before trying again.
                        if !matches!(one.end, End::Answered { .. }) {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                        asked.push(one);
                    }
                    asked
                })
            })
            .collect();
        Self { stop, senders }
    }

    /// Stops, and tells what became of every booking.
    pub async fn stop(self) -> Vec<Asked> {
        self.stop.store(true, Ordering::Relaxed);
        let mut asked = Vec::new();
        for sender in self.senders {
            asked.extend(sender.await.expect("a sender does not panic"));
        }
        asked
    }
}

/// Sends one booking.
pub async fn ask(client: &Client, url: &str, body: String) -> Asked {
    let began = Instant::now();
    let sent = client
        .post(format!("{url}/service/actions/beforeBookAppointment"))
        .header("authorization", signature::sign(SECRET, body.as_bytes()))
        .body(body.clone())
        .send()
        .await;
    let end = match sent {
        Err(error) if error.is_connect() => End::Refused,
        Err(_) => End::Lost,
        Ok(response) => {
            let status = response.status();
            let retry_after = response.headers().contains_key("retry-after");
            let decision_id = response.headers().get("bookwarden-decision");
            let decision_id =
                decision_id.map(|id| id.to_str().expect("text").parse().expect("a number"));
            match (decision_id, response.text().await) {
                (_, Err(_)) => End::BrokenOff,
                (Some(decision_id), Ok(text)) => End::Answered { decision_id, text },
                (None, Ok(_)) => End::Problem {
                    status,
                    retry_after,
                },
            }
        }
    };
    Asked {
        body,
        took: began.elapsed(),
        end,
    }
}

/// Every answered booking is on the ledger, with exactly the request and the answer. Answers how many there were.
pub async fn assert_on_ledger(database: &PgPool, asked: &[Asked]) -> usize {
    let mut answered = 0;
    for one in asked {
        let End::Answered { decision_id, text } = &one.end else {
            continue;
        };
        answered += 1;
        let (request, response): (String, String) = sqlx::query_as(
            "select r.body, d.response::text
             from audit.decisions d join ledger.events r on r.org = d.org and r.seq = d.request_id
             where d.org = 'default' and d.decision_id = $1",
        )
        .bind(decision_id)
        .fetch_one(database)
        .await
        .unwrap_or_else(|error| panic!("decision {decision_id} was answered: {error}"));
        assert_eq!((&request, &response), (&one.body, text));
    }
    answered
}
