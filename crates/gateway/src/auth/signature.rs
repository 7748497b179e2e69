//! What is signed, and checking it against a key's secret or public key.

use std::sync::Arc;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use sha2::Sha256;
use store::Credential;

use super::Signed;

/// What signatures of a key are checked with, prepared for use.
#[derive(Clone)]
pub(crate) enum Verifier {
    /// HMAC-SHA256 with its key already absorbed.
    Hmac(Hmac<Sha256>),
    /// Ed25519.
    Ed25519(Box<VerifyingKey>),
    /// RSA, PKCS#1 v1.5 with SHA-256; the key as DER.
    Rsa(Arc<[u8]>),
}

impl Verifier {
    /// For a shared secret: its text as given is the key of the HMAC, so that `openssl` can use it.
    pub(crate) fn hmac(secret: &[u8]) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(secret);
        Self::Hmac(mac.expect("an HMAC takes keys of every length"))
    }

    /// For a public key, if it is a point of the curve.
    pub(crate) fn ed25519(public_key: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(public_key).ok()?;
        Some(Self::Ed25519(Box::new(key)))
    }

    /// Whether a request's signature fits.
    pub(crate) fn accepts(&self, signed: &Signed<'_>, window: &str) -> bool {
        let mut message = Vec::with_capacity(128 + signed.body.len());
        each_part(signed, window, |part| message.extend_from_slice(part));
        self.accepts_message(&message, signed.signature)
    }

    /// Whether the signature of a message fits. Takes the same time wherever an HMAC differs.
    pub(crate) fn accepts_message(&self, message: &[u8], signature: &str) -> bool {
        match self {
            Self::Hmac(mac) => {
                let mut mac = mac.clone();
                mac.update(message);
                let mut bytes = [0; 32];
                hex::decode_to_slice(signature, &mut bytes).is_ok()
                    && mac.verify_slice(&bytes).is_ok()
            }
            Self::Ed25519(key) => decode::<64>(signature).is_some_and(|bytes| {
                key.verify_strict(message, &Signature::from_bytes(&bytes)).is_ok()
            }),
            Self::Rsa(key) => base64(signature).is_some_and(|bytes| {
                let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key[..]);
                key.verify(message, &bytes).is_ok()
            }),
        }
    }
}

/// The signed text in parts: `timestamp \n window \n METHOD \n path?query \n body`.
fn each_part(signed: &Signed<'_>, window: &str, mut part: impl FnMut(&[u8])) {
    for text in [signed.timestamp, window, signed.method, signed.path_and_query] {
        part(text.as_bytes());
        part(b"\n");
    }
    part(signed.body);
}

/// A public key as people have it: the PEM that `openssl pkey -pubout` prints, of an Ed25519 key or of an RSA
/// key of 2048 to 4096 bits, or the 32 bytes of an Ed25519 key in hexadecimal or base64.
pub(crate) fn parse_public_key(text: &str) -> Option<Credential> {
    let bare: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    if let Some(key) = decode::<32>(&bare) {
        return Some(Credential::Ed25519(key));
    }
    let der = base64(&bare)?;
    match der.strip_prefix(&ED25519_SPKI) {
        Some(key) => Some(Credential::Ed25519(key.try_into().ok()?)),
        None => rsa_key(&der).map(|key| Credential::Rsa(key.to_vec())),
    }
}

/// What precedes the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo.
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// The algorithm `rsaEncryption` without parameters, as a SubjectPublicKeyInfo names it.
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// The `RSAPublicKey` within a SubjectPublicKeyInfo, if its modulus has 2048 to 4096 bits.
fn rsa_key(spki: &[u8]) -> Option<&[u8]> {
    let (info, rest) = der_value(spki, 0x30)?;
    let (bits, behind) = der_value(info.strip_prefix(&RSA_ALGORITHM)?, 0x03)?;
    let key = bits.strip_prefix(&[0])?;
    let (numbers, after) = der_value(key, 0x30)?;
    let (modulus, exponent) = der_value(numbers, 0x02)?;
    let (_, end) = der_value(exponent, 0x02)?;
    let is_whole = [rest, behind, after, end].iter().all(|rest| rest.is_empty());
    let bytes = modulus.strip_prefix(&[0]).unwrap_or(modulus).len();
    (is_whole && (256..=512).contains(&bytes)).then_some(key)
}

/// The content of the first DER value, which has this tag, and what comes behind it.
fn der_value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// `N` bytes in hexadecimal or base64.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() == 2 * N {
        let mut bytes = [0; N];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        return Some(bytes);
    }
    base64(text)?.try_into().ok()
}

/// Standard or URL alphabet, padded or not; each value has one text only in either.
fn base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(false);
    let text = text.replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&STANDARD, CONFIG).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn request<'a>(signature: &'a str, body: &'a [u8]) -> Signed<'a> {
        Signed {
            key: "k",
            timestamp: "1700000000000",
            window: None,
            signature,
            method: "POST",
            path_and_query: "/v1/orders?x=1",
            body,
        }
    }

    #[test]
    fn an_hmac_is_that_of_openssl_and_covers_every_part() {
        // printf '1700000000000\n5000\nPOST\n/v1/orders?x=1\n{"a":1}' | openssl dgst -sha256 -hmac secret
        let signature = "37076181aea6623f931cc6b2850d3677cd792fb2db25bbf3c7d43a83fadfcaed";
        let verifier = Verifier::hmac(b"secret");
        let good = request(signature, br#"{"a":1}"#);
        assert!(verifier.accepts(&good, "5000"));
        assert!(!verifier.accepts(&good, "5001"));
        assert!(!verifier.accepts(&request(signature, br#"{"a":2}"#), "5000"));
        let changes: [fn(&mut Signed<'_>); 4] = [
            |r| r.timestamp = "1700000000001",
            |r| r.method = "PATCH",
            |r| r.path_and_query = "/v1/orders?x=2",
            |r| r.signature = "00",
        ];
        for change in changes {
            let mut bad = good;
            change(&mut bad);
            assert!(!verifier.accepts(&bad, "5000"), "{bad:?}");
        }
        assert!(!Verifier::hmac(b"secreT").accepts(&good, "5000"));
    }

    #[test]
    fn an_ed25519_signature_is_taken_in_hex_and_base64() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let message = b"1700000000000\n5000\nPOST\n/v1/orders?x=1\n{}";
        let bytes = key.sign(message).to_bytes();
        let verifier = Verifier::ed25519(&key.verifying_key().to_bytes()).unwrap();
        let in_hex = hex::encode(bytes);
        assert!(verifier.accepts(&request(&in_hex, b"{}"), "5000"));
        assert!(!verifier.accepts(&request(&in_hex, b"{ }"), "5000"));
        let in_base64 = BASE64_STANDARD.encode(bytes);
        assert!(verifier.accepts(&request(&in_base64, b"{}"), "5000"));
        assert!(!verifier.accepts(&request("", b"{}"), "5000"));
    }

    #[test]
    fn a_public_key_is_read_as_hex_base64_and_pem() {
        // openssl genpkey -algorithm ed25519 | openssl pkey -pubout
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        let key = parse_public_key(pem).unwrap();
        let Credential::Ed25519(bytes) = key else { panic!("an Ed25519 key") };
        assert_eq!(parse_public_key(&hex::encode(bytes)), Some(Credential::Ed25519(bytes)));
        assert_eq!(
            parse_public_key(&BASE64_STANDARD.encode(bytes)),
            Some(Credential::Ed25519(bytes))
        );
        assert!(Verifier::ed25519(&bytes).is_some());
        for text in ["", "zz", &"0".repeat(63), &"A".repeat(44)] {
            assert_eq!(parse_public_key(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_rsa_key_is_read_as_pem_and_its_signature_taken_in_base64() {
        // openssl genpkey -algorithm rsa | openssl pkey -pubout; openssl dgst -sha256 -sign
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA+nGdIctyE/cguudo8Uiu\n\
            Kle8WZzKbbM2F+D2AachocXqUOpuhvlF8dzss5jm0g5rjZVuzwZG0sKNdIfmG+tY\n\
            Pj7g7ClkJ1L4M/9DBPirPfert9+zExiP/+0mlrXqvX/69UAlG4wMfIEyOENcXBTL\n\
            tLKKXNw+5D+OL+8/dgjD5FCbunDBxc6IP3/N4nc4mBEkWAQ6rE8RNrhqfi3laShj\n\
            1LEDxIqWW1gX6gZKCnksqUwZgomxAEKPlKbEbvV3ml/w63whYH/GzpGROpHWUpW4\n\
            3qfqaQAlzjSOzLh1gITe362spynP57pXbSThXx4G7coNX14B7hhZI597ZUimXedz\n\
            4wIDAQAB\n\
            -----END PUBLIC KEY-----\n";
        let signature = "uIUQSj6Au56FrGWLSjh6hTbDsqrJKQ/a8Fy18KHH+9UdOOuhTopgdnFSXhHot3JiBxJgnw55hnlkNgDOaGDkO0iD\
            tU16VOrGFHWwcf1mjnK88niMG0OYCA1bH9FeCiJhmWK0c4+pqH+tNZwwjnxq+MREoOzwfB/lt/qsXDlILt2WFA+k\
            komBxj6DV0MuLNOis3JAhdrAQLhb6UMzmFWfMqpsr0kjCiHj19DbPHllA7C7/tqlT/nKnG8QsbJgHg7N30JD5K7g\
            wLQiVpuWkNlTE6XgfEBMd39AojVF7IeSW190bUtsL6jL58K4RuZzKhASQFOj3F74/1VRRO8F+uR2pw==";
        let Some(Credential::Rsa(key)) = parse_public_key(pem) else { panic!("an RSA key") };
        let verifier = Verifier::Rsa(key.into());
        let message = b"symbol=BTCUSDT&timestamp=1700000000000";
        assert!(verifier.accepts_message(message, signature));
        assert!(!verifier.accepts_message(b"symbol=BTCUSDT&timestamp=1700000000001", signature));
        assert!(!verifier.accepts_message(message, &signature[4..]));
        let cut: String = pem.replace("MIIB", "MIIA");
        assert_eq!(parse_public_key(&cut), None);
    }
}
