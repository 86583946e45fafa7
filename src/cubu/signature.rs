//! `Authorization: HMAC <mac>`.
