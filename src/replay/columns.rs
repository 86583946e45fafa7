//! Compares an event's query columns with those that its content says. Every column, for every type.

use std::fmt::Debug;

use super::report::What;
use super::view::Event;
use crate::ledger::event::Columns;

/// The columns of policy events.
#[derive(Debug, Default)]
pub(super) struct PolicyColumns<'a> {
    pub(super) policy_kind: Option<&'a str>,
    pub(super) policy_id_from: Option<i64>,
    pub(super) policy_id_to: Option<i64>,
    pub(super) attachment_id: Option<uuid::Uuid>,
}

/// Tells each column that differs, with what was expected and what was found.
pub(super) fn compare(
    event: &Event<'_>,
    columns: &Columns,
    policy: &PolicyColumns<'_>,
    mut tell: impl FnMut(What, String, String),
) {
    macro_rules! compare {
        ($($column:ident: $found:expr, $expected:expr;)*) => {
            $(if $found != $expected {
                tell(What::Column(stringify!($column)), shown($expected), shown($found));
            })*
        };
    }
    macro_rules! same {
        ($column:ident) => {
            compare!($column: event.$column, columns.$column;)
        };
    }
    macro_rules! same_text {
        ($column:ident) => {
            compare!($column: event.$column, columns.$column.as_deref();)
        };
    }
    same!(case_id);
    compare!(request_digest:
        event.request_digest, columns.request_digest.as_ref().map(<[u8; 32]>::as_slice););
    compare!(outcome: event.outcome, columns.outcome;);
    same!(unit_id);
    same!(service_id);
    same!(service_category_id);
    same!(service_type_id);
    same!(cu_index);
    same!(appointment_date);
    same!(start_minute);
    same!(duration);
    same_text!(channel);
    compare!(booked_by: event.booked_by, columns.booked_by;);
    same!(customer_record_id);
    same_text!(triggered_by_user_email);
    same_text!(cancellation_reason);
    compare!(
        policy_kind: event.policy_kind, policy.policy_kind;
        policy_id_from: event.policy_id_from, policy.policy_id_from;
        policy_id_to: event.policy_id_to, policy.policy_id_to;
        attachment_id: event.attachment_id, policy.attachment_id;
    );
}

fn shown<T: Debug>(value: Option<T>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| format!("{value:?}"))
}
