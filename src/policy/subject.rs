//! A booking while rules change it. Each change tells whether anything became different.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::cubu::request::Booking;
use crate::cubu::response::Response;

/// A booking and the contact details that rules gave it; copied only once something changes.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    asked: &'a Booking,
    booking: Cow<'a, Booking>,
    contact: Contact,
}

/// What the request does not tell and the answer can set.
#[derive(Debug, Clone, Default)]
struct Contact {
    customers: bool,
    phone_number: Option<String>,
    email: Option<String>,
}

impl<'a> Subject<'a> {
    /// The booking as asked.
    #[must_use]
    pub fn new(booking: &'a Booking) -> Self {
        Self {
            asked: booking,
            booking: Cow::Borrowed(booking),
            contact: Contact::default(),
        }
    }

    /// The booking as it is now.
    #[must_use]
    pub fn booking(&self) -> &Booking {
        &self.booking
    }

    /// The answer that turns the booking as asked into this one: what is different, all else kept.
    #[must_use]
    pub fn response(&self) -> Response {
        let (asked, booking) = (self.asked, &*self.booking);
        let customer = booking.customer_record_id;
        let changed_customer = customer != asked.customer_record_id;
        let changed = |now: &Option<String>, before| now.clone().filter(|_| now != before);
        Response {
            fields: (!same_fields(&asked.fields, &booking.fields)).then(|| booking.fields.clone()),
            tag_ids: (asked.tag_ids != booking.tag_ids).then(|| booking.tag_ids.clone()),
            remove_customer: changed_customer && customer.is_none(),
            customer_record_id: customer.filter(|_| changed_customer),
            use_customer_contact_info: self.contact.customers,
            contact_phone_number: self.contact.phone_number.clone(),
            contact_email: self.contact.email.clone(),
            service_type_id: booking
                .service_type_id
                .filter(|id| asked.service_type_id != Some(*id)),
            channel: changed(&booking.channel, &asked.channel),
            prevent_self_check_in: Some(booking.appointment.prevent_self_check_in)
                .filter(|prevented| *prevented != asked.appointment.prevent_self_check_in),
            ..Response::default()
        }
        .finished()
    }

    pub(super) fn set_fields(&mut self, values: &BTreeMap<Uuid, Box<RawValue>>) -> bool {
        let mut changed = false;
        for (id, value) in values {
            let key = self.keys_of(*id).next().cloned();
            let key = key.unwrap_or_else(|| id.to_string());
            if self
                .booking
                .fields
                .get(&key)
                .is_some_and(|before| same_value(before, value))
            {
                continue;
            }
            self.booking.to_mut().fields.insert(key, value.clone());
            changed = true;
        }
        changed
    }

    pub(super) fn remove_fields(&mut self, ids: &[Uuid]) -> bool {
        let keys: Vec<String> = ids
            .iter()
            .flat_map(|id| self.keys_of(*id))
            .cloned()
            .collect();
        for key in &keys {
            self.booking.to_mut().fields.remove(key);
        }
        !keys.is_empty()
    }

    /// The keys that mean a field: the request may write a GUID in either case.
    fn keys_of(&self, id: Uuid) -> impl Iterator<Item = &String> {
        let keys = self.booking.fields.keys();
        keys.filter(move |key| Uuid::parse_str(key).is_ok_and(|found| found == id))
    }

    pub(super) fn change_tags(&mut self, add: &[Uuid], remove: &[Uuid]) -> bool {
        let mut tags = self.booking.tag_ids.clone();
        tags.retain(|tag| !remove.contains(tag));
        for tag in add {
            if !tags.contains(tag) {
                tags.push(*tag);
            }
        }
        let changed = tags != self.booking.tag_ids;
        if changed {
            self.booking.to_mut().tag_ids = tags;
        }
        changed
    }

    pub(super) fn link_customer(&mut self, customer: Option<Uuid>) -> bool {
        let changed = self.booking.customer_record_id != customer;
        if changed {
            self.booking.to_mut().customer_record_id = customer;
        }
        changed
    }

    /// From then on, details of the case's own are neither kept nor taken: the contract sends one or the other.
    pub(super) fn use_customers_contact_details(&mut self) -> bool {
        let changed = !self.contact.customers;
        self.contact = Contact {
            customers: true,
            ..Contact::default()
        };
        changed
    }

    pub(super) fn set_phone_number(&mut self, number: Option<&str>) -> bool {
        let changed =
            !self.contact.customers && differs(number, self.contact.phone_number.as_deref());
        if changed {
            self.contact.phone_number = number.map(str::to_owned);
        }
        changed
    }

    pub(super) fn set_email(&mut self, email: Option<&str>) -> bool {
        let changed = !self.contact.customers && differs(email, self.contact.email.as_deref());
        if changed {
            self.contact.email = email.map(str::to_owned);
        }
        changed
    }

    pub(super) fn set_service_type(&mut self, service_type_id: Option<Uuid>) -> bool {
        let changed = differs(service_type_id, self.booking.service_type_id);
        if changed {
            self.booking.to_mut().service_type_id = service_type_id;
        }
        changed
    }

    pub(super) fn set_channel(&mut self, channel: Option<&str>) -> bool {
        let changed = differs(channel, self.booking.channel.as_deref());
        if changed {
            self.booking.to_mut().channel = channel.map(str::to_owned);
        }
        changed
    }

    pub(super) fn prevent_self_check_in(&mut self, prevented: Option<bool>) -> bool {
        let before = self.booking.appointment.prevent_self_check_in;
        match prevented.filter(|prevented| *prevented != before) {
            Some(prevented) => {
                self.booking.to_mut().appointment.prevent_self_check_in = prevented;
                true
            }
            None => false,
        }
    }
}

/// Whether a wanted value is another than the one that there is; nothing wanted is no difference.
fn differs<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
    wanted.is_some() && wanted != found
}

/// Texts are the same however they are escaped; all else if it is written the same.
fn same_value(left: &RawValue, right: &RawValue) -> bool {
    let text = |value: &RawValue| serde_json::from_str::<String>(value.get()).ok();
    left.get() == right.get() || text(left).is_some_and(|left| text(right) == Some(left))
}

fn same_fields(
    left: &BTreeMap<String, Box<RawValue>>,
    right: &BTreeMap<String, Box<RawValue>>,
) -> bool {
    let mut pairs = left.iter().zip(right);
    left.len() == right.len()
        && pairs.all(|((key, value), (other, found))| key == other && value.get() == found.get())
}
