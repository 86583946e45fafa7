//! One organization's webhook secrets, and the verdict on a request.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{AccessError, Authenticated};
use crate::cubu::signature::{self, Mac, SignatureError};

/// One webhook secret.
pub(super) struct Secret {
    pub(super) id: i64,
    pub(super) text: String,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl Secret {
    fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What an organization accepts.
#[derive(Debug, Default)]
pub(super) struct OrgSecrets {
    pub(super) accepts_unsigned: bool,
    /// Newest first: the one that is most likely in use.
    pub(super) secrets: Vec<Secret>,
}

impl OrgSecrets {
    /// A header that is there must be right, also where unsigned calls are accepted.
    pub(super) fn check(
        &self,
        authorization: Option<&str>,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Authenticated, AccessError> {
        let mac = match authorization.map(Mac::from_header) {
            Some(Ok(mac)) => mac,
            None if self.accepts_unsigned => return Ok(Authenticated { secret_id: None }),
            None | Some(Err(SignatureError::Missing)) => return Err(AccessError::MissingSignature),
            Some(Err(SignatureError::OtherScheme)) => return Err(AccessError::WrongScheme),
            Some(Err(error @ (SignatureError::Undecodable | SignatureError::OtherLength(_)))) => {
                return Err(AccessError::MalformedSignature(error));
            }
        };
        (self.secrets.iter())
            .filter(|secret| secret.is_live(now))
            .find(|secret| signature::matches(&secret.text, body, &mac))
            .map(|secret| Authenticated {
                secret_id: Some(secret.id),
            })
            .ok_or(AccessError::InvalidSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn secret(id: i64, text: &str, expires_at: Option<i64>) -> Secret {
        Secret {
            id,
            text: text.to_owned(),
            expires_at: expires_at.map(at),
        }
    }

    fn org(accepts_unsigned: bool) -> OrgSecrets {
        OrgSecrets {
            accepts_unsigned,
            secrets: vec![secret(2, "new", None), secret(1, "old", Some(100))],
        }
    }

    #[test]
    fn any_live_secret_signs() {
        for (text, id) in [("new", 2), ("old", 1)] {
            let header = signature::sign(text, b"body");
            let verdict = org(false).check(Some(&header), b"body", at(99));
            assert_eq!(
                verdict,
                Ok(Authenticated {
                    secret_id: Some(id)
                })
            );
        }
    }

    #[test]
    fn an_expired_secret_does_not() {
        let header = signature::sign("old", b"body");
        let verdict = org(false).check(Some(&header), b"body", at(100));
        assert_eq!(verdict, Err(AccessError::InvalidSignature));
    }

    #[test]
    fn every_refusal_has_its_name() {
        let refusal = |header: Option<&str>| org(false).check(header, b"body", at(0)).unwrap_err();
        assert_eq!(refusal(None), AccessError::MissingSignature);
        assert_eq!(refusal(Some("")), AccessError::MissingSignature);
        assert_eq!(refusal(Some("Bearer x")), AccessError::WrongScheme);
        let malformed = AccessError::MalformedSignature;
        assert_eq!(
            refusal(Some("HMAC ?")),
            malformed(SignatureError::Undecodable)
        );
        assert_eq!(
            refusal(Some("HMAC AAAA")),
            malformed(SignatureError::OtherLength(3))
        );
        let other = signature::sign("new", b"bodY");
        assert_eq!(refusal(Some(&other)), AccessError::InvalidSignature);
    }

    #[test]
    fn unsigned_is_accepted_where_it_was_said_but_a_wrong_header_never() {
        let unsigned = org(true).check(None, b"body", at(0));
        assert_eq!(unsigned, Ok(Authenticated { secret_id: None }));
        for header in ["", "Basic x", "HMAC AAAA"] {
            assert!(org(true).check(Some(header), b"body", at(0)).is_err());
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert!(!format!("{:?}", org(true)).contains("new"));
    }
}
