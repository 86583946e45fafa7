//! `Authorization: HMAC <mac>`, where the mac is the base64 of HMAC-SHA256 over the raw body, keyed with the secret's UTF-8 bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

const SCHEME: &str = "HMAC";

/// The length of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

/// What one written with 64 hexadecimal digits, which are all in base64's alphabet, decodes to.
const HEXADECIMAL: usize = 48;

/// A mac that came with a request; not yet compared with anything.
#[derive(Debug, Clone)]
pub struct Mac(Vec<u8>);

/// Why a header's value holds no mac.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is empty.
    #[error("the Authorization header is empty")]
    Missing,
    /// `Basic`, `Bearer` …
    #[error("the Authorization header's scheme is not HMAC")]
    OtherScheme,
    /// Not base64 in the standard alphabet with padding.
    #[error("the mac is not base64 in the standard alphabet with padding")]
    Undecodable,
    /// Base64 of something else than an HMAC-SHA256.
    #[error("the mac decodes to {0} bytes, not 32{hint}", hint = hint(*.0))]
    OtherLength(usize),
}

fn hint(length: usize) -> &'static str {
    match length {
        HEXADECIMAL => ": is it hexadecimal?",
        _ => "",
    }
}

impl Mac {
    /// Reads the header's value. The scheme is compared without regard to case, as RFC 9110 (11.1) says.
    ///
    /// # Errors
    /// When the value holds no mac.
    pub fn from_header(value: &str) -> Result<Self, SignatureError> {
        let value = value.trim_matches([' ', '\t']);
        if value.is_empty() {
            return Err(SignatureError::Missing);
        }
        let (scheme, mac) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(SignatureError::OtherScheme);
        }
        match STANDARD.decode(mac.trim_start_matches(' ')) {
            Ok(bytes) if bytes.len() == MAC_BYTES => Ok(Self(bytes)),
            Ok(bytes) if !bytes.is_empty() => Err(SignatureError::OtherLength(bytes.len())),
            _ => Err(SignatureError::Undecodable),
        }
    }
}

/// The whole header value that signs `body`.
#[must_use]
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mac = keyed(secret).chain_update(body).finalize().into_bytes();
    format!("{SCHEME} {}", STANDARD.encode(mac))
}

/// Whether `mac` signs `body`; takes the same time wherever it differs.
#[must_use]
pub fn matches(secret: &str, body: &[u8], mac: &Mac) -> bool {
    keyed(secret)
        .chain_update(body)
        .verify_slice(&mac.0)
        .is_ok()
}

fn keyed(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Vector {
        secret: String,
        body_base64: String,
        authorization: String,
    }

    #[test]
    fn the_platforms_vectors() {
        let vectors = include_str!("../../tests/samples/hmac-vectors.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        assert_eq!(vectors.len(), 3);
        for vector in vectors {
            let body = STANDARD.decode(&vector.body_base64).unwrap();
            assert_eq!(sign(&vector.secret, &body), vector.authorization);
            let mac = Mac::from_header(&vector.authorization).unwrap();
            assert!(matches(&vector.secret, &body, &mac));
            assert!(!matches("another", &body, &mac));
            let mut changed = body.clone();
            changed[0] ^= 1;
            assert!(!matches(&vector.secret, &changed, &mac));
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_published_vector() {
        let mac = STANDARD.encode(
            hex::decode("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
                .unwrap(),
        );
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?"),
            format!("HMAC {mac}")
        );
    }

    #[test]
    fn the_scheme_in_any_case() {
        let value = sign("s", b"b").replace("HMAC", "hmac");
        assert!(matches("s", b"b", &Mac::from_header(&value).unwrap()));
    }

    #[test]
    fn what_is_no_mac() {
        use SignatureError::{Missing, OtherLength, OtherScheme, Undecodable};
        let hexadecimal = format!("HMAC {}", "5b".repeat(32));
        for (value, error) in [
            ("", Missing),
            ("  ", Missing),
            ("Bearer abc", OtherScheme),
            ("HMACabcd", OtherScheme),
            ("HMAC", Undecodable),
            ("HMAC ", Undecodable),
            ("HMAC !!!!", Undecodable),
            ("HMAC YQ", Undecodable),
            ("HMAC _-8=", Undecodable),
            ("HMAC AAAA", OtherLength(3)),
            (&hexadecimal, OtherLength(48)),
        ] {
            assert_eq!(Mac::from_header(value).unwrap_err(), error, "{value:?}");
        }
    }

    #[test]
    fn a_mac_of_another_length_is_none_and_says_what_it_may_be() {
        let value = sign("s", b"b");
        let mac = STANDARD.decode(&value["HMAC ".len()..]).unwrap();
        let refusal = |mac: String| Mac::from_header(&format!("HMAC {mac}")).unwrap_err();
        assert_eq!(
            refusal(STANDARD.encode(&mac[..31])).to_string(),
            "the mac decodes to 31 bytes, not 32"
        );
        assert_eq!(
            refusal(hex::encode(mac)).to_string(),
            "the mac decodes to 48 bytes, not 32: is it hexadecimal?"
        );
    }
}
