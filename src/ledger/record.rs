//! Appends one event of what people do to the service, such as a token's revocation.

use serde::Serialize;
use sqlx::PgConnection;

use super::append::{Append, PlaceChanges};
use super::event::{Columns, Content, Numbering};
use super::head;
use crate::org::Org;

/// Whoever does this from afar, and loses the way back while the head is locked, must not keep bookings waiting.
const BOUND: &str = "set local idle_in_transaction_session_timeout = '2s'";

/// Appends an event without query columns, in the given transaction, which then has to end soon: until it does, nobody else appends.
///
/// # Errors
/// When the database fails, or there is no such organization ([`sqlx::Error::RowNotFound`]).
pub async fn record(
    transaction: &mut PgConnection,
    org: &Org,
    event_type: &'static str,
    payload: &impl Serialize,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(BOUND).execute(&mut *transaction).await?;
    let head = head::lock(transaction, org)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    let payload =
        serde_json::to_string(payload).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let mut numbering = Numbering::after(org.as_str(), &head);
    numbering.push(Content {
        event_type,
        caused_by: None,
        payload,
        body: None,
        columns: Columns::default(),
        policies: Vec::new(),
    });
    let events = numbering.into_events();
    let places = PlaceChanges::default();
    let append = Append::new(org, &head, &events, &places);
    if append.run(transaction).await? {
        Ok(())
    } else {
        let moved = "the head moved although it was locked";
        Err(sqlx::Error::Protocol(moved.to_owned()))
    }
}
