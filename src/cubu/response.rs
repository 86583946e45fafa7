//! The answer to `beforeBookAppointment`: twelve keys, every time.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// The answer. The default keeps everything and books.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// Replaces all case fields; null keeps all.
    pub fields: Option<BTreeMap<String, Box<RawValue>>>,
    /// Replaces all tags; null keeps all.
    pub tag_ids: Option<Vec<Uuid>>,
    /// Unlinks the customer.
    pub remove_customer: bool,
    /// Links this customer; null keeps.
    pub customer_record_id: Option<Uuid>,
    /// Use the customer's contact details for this case.
    pub use_customer_contact_info: bool,
    /// Null keeps; null when `use_customer_contact_info`.
    pub contact_phone_number: Option<String>,
    /// Null keeps; null when `use_customer_contact_info`.
    pub contact_email: Option<String>,
    /// Null keeps.
    pub service_type_id: Option<Uuid>,
    /// Null keeps.
    pub channel: Option<String>,
    /// Null keeps.
    pub prevent_self_check_in: Option<bool>,
    /// Cancels the booking.
    pub cancelled: bool,
    /// Shown to the person who books.
    pub cancellation_reason: Option<String>,
}
