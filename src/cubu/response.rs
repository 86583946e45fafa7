//! The answer to `beforeBookAppointment`: twelve keys, every time.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json::Members;

/// An answer without case fields fits.
const USUAL_BYTES: usize = 512;

/// The answer. The default keeps everything and books.
#[derive(Debug, Clone, Default)]
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

impl Response {
    /// Does not book, and says why; everything else stays untouched.
    #[must_use]
    pub fn cancelled(reason: String) -> Self {
        Self {
            cancelled: true,
            cancellation_reason: Some(reason),
            ..Self::default()
        }
    }

    /// Whether it books exactly what was asked for.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        let Self {
            fields,
            tag_ids,
            remove_customer,
            customer_record_id,
            use_customer_contact_info,
            contact_phone_number,
            contact_email,
            service_type_id,
            channel,
            prevent_self_check_in,
            cancelled,
            cancellation_reason,
        } = self;
        fields.is_none()
            && tag_ids.is_none()
            && !remove_customer
            && customer_record_id.is_none()
            && !use_customer_contact_info
            && contact_phone_number.is_none()
            && contact_email.is_none()
            && service_type_id.is_none()
            && channel.is_none()
            && prevent_self_check_in.is_none()
            && !cancelled
            && cancellation_reason.is_none()
    }

    /// The same with the contract's own rule applied: whoever uses the customer's contact details gives none.
    #[must_use]
    pub fn finished(mut self) -> Self {
        if self.use_customer_contact_info {
            self.contact_phone_number = None;
            self.contact_email = None;
        }
        self
    }

    /// The exact body that is answered and recorded: all twelve keys in the contract's order, the contract's rule applied.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut body = Vec::with_capacity(USUAL_BYTES);
        self.write(&mut body);
        String::from_utf8(body).expect("JSON is UTF-8")
    }

    /// The same, written to the end of a buffer.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let answered = self.as_answered();
        let mut members = Members::begin(out);
        members.value("fields", &answered.fields);
        members.value("tagIds", &answered.tag_ids);
        members.value("removeCustomer", answered.remove_customer);
        members.value("customerRecordId", answered.customer_record_id);
        members.value("useCustomerContactInfo", answered.use_customer_contact_info);
        members.text(
            "contactPhoneNumber",
            answered.contact_phone_number.as_deref(),
        );
        members.text("contactEmail", answered.contact_email.as_deref());
        members.value("serviceTypeId", answered.service_type_id);
        members.text("channel", answered.channel.as_deref());
        members.value("preventSelfCheckIn", answered.prevent_self_check_in);
        members.value("cancelled", answered.cancelled);
        members.text(
            "cancellationReason",
            answered.cancellation_reason.as_deref(),
        );
        members.end();
    }

    fn as_answered(&self) -> Cow<'_, Self> {
        let gives_details = self.contact_phone_number.is_some() || self.contact_email.is_some();
        if self.use_customer_contact_info && gives_details {
            Cow::Owned(self.clone().finished())
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The same as [`Response::to_body`], for putting into other JSON.
    #[must_use]
    pub fn to_raw(&self) -> Box<RawValue> {
        RawValue::from_string(self.to_body()).expect("an answer is JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_twelve_keys_in_order() {
        assert_eq!(
            Response::default().to_body(),
            concat!(
                r#"{"fields":null,"tagIds":null,"removeCustomer":false,"customerRecordId":null,"#,
                r#""useCustomerContactInfo":false,"contactPhoneNumber":null,"contactEmail":null,"#,
                r#""serviceTypeId":null,"channel":null,"preventSelfCheckIn":null,"#,
                r#""cancelled":false,"cancellationReason":null}"#
            )
        );
    }

    #[test]
    fn contact_details_are_null_when_the_customers_are_used() {
        let response = Response {
            use_customer_contact_info: true,
            contact_phone_number: Some("+1".to_owned()),
            contact_email: Some("a@b".to_owned()),
            ..Response::default()
        };
        let body: serde_json::Value = serde_json::from_str(&response.to_body()).unwrap();
        assert!(body["contactPhoneNumber"].is_null() && body["contactEmail"].is_null());
        assert_eq!(body["useCustomerContactInfo"], true);
    }

    #[test]
    fn field_values_go_back_byte_for_byte() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let fields = BTreeMap::from([
            ("b".to_owned(), raw(r#""caf\u00e9\/""#)),
            ("a".to_owned(), raw("1.50e+02")),
        ]);
        let response = Response {
            fields: Some(fields),
            ..Response::default()
        };
        let expected = r#"{"fields":{"a":1.50e+02,"b":"caf\u00e9\/"},"#;
        assert!(response.to_body().starts_with(expected));
    }
}
