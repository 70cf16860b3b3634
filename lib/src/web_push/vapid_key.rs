//! RFC 8292: who sends is known by a key, with which a short-lived token is signed for each
//! push service.

use std::sync::OnceLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use ring::{
    error::Unspecified,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use secrecy::SecretString;
use serde_json::json;
use url::Url;

/// How long a token holds; services refuse more than a day.
const LIFE: SignedDuration = SignedDuration::from_hours(12);

/// A key pair of ES256. Only whoever sends needs its public half and pays for it: most
/// functions do not.
pub struct VapidKey {
    secret: p256::SecretKey,
    pair: OnceLock<Option<Pair>>,
}

struct Pair {
    signing: EcdsaKeyPair,
    public: String,
}

impl std::fmt::Debug for VapidKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("VapidKey").finish_non_exhaustive()
    }
}

impl VapidKey {
    /// Reads a private key: 32 bytes in base64url, as every tool of the field writes it.
    ///
    /// # Errors
    /// What it should be.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "not a private key of P-256: 32 bytes in base64url";
        let private = BASE64_URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map_err(|_| EXPECTED)?;
        let private = <[u8; 32]>::try_from(private).map_err(|_| EXPECTED)?;
        Ok(Self {
            secret: p256::SecretKey::from_slice(&private).map_err(|_| EXPECTED)?,
            pair: OnceLock::new(),
        })
    }

    fn pair(&self) -> Result<&Pair, Unspecified> {
        let made = self.pair.get_or_init(|| Pair::of(&self.secret));
        made.as_ref().ok_or(Unspecified)
    }

    /// A new private key, as [`VapidKey::parse`] reads it.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub fn generate() -> Result<SecretString, Unspecified> {
        loop {
            let bytes: [u8; 32] = ring::rand::generate(&SystemRandom::new())?.expose();
            // All but one in four billion are keys.
            if p256::SecretKey::from_slice(&bytes).is_ok() {
                return Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes).into());
            }
        }
    }

    /// The public key: 65 bytes in base64url.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.pair().map_or("", |pair| &pair.public)
    }

    /// The header `Authorization` for a push to that endpoint.
    pub(super) fn authorization(
        &self,
        endpoint: &Url,
        contact: &str,
        now: Timestamp,
    ) -> Result<String, Unspecified> {
        let expires_at = now.checked_add(LIFE).map_err(|_| Unspecified)?;
        let header = json!({"typ": "JWT", "alg": "ES256"});
        let claims = json!({
            "aud": endpoint.origin().ascii_serialization(),
            "exp": expires_at.as_second(),
            "sub": contact,
        });
        let [header, claims] =
            [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let pair = self.pair()?;
        let signature = pair.signing.sign(&SystemRandom::new(), signed.as_bytes())?;
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        Ok(format!("vapid t={signed}.{signature}, k={}", pair.public))
    }
}

impl Pair {
    fn of(secret: &p256::SecretKey) -> Option<Self> {
        let public = secret.public_key().to_encoded_point(false);
        let signing = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &secret.to_bytes(),
            public.as_bytes(),
            &SystemRandom::new(),
        );
        Some(Self {
            signing: signing.ok()?,
            public: BASE64_URL_SAFE_NO_PAD.encode(public.as_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use secrecy::ExposeSecret;
    use serde_json::Value;

    use super::*;

    /// The pair of RFC 8291, section 5, which is one of ES256 too.
    const PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const PUBLIC: &str =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

    fn decoded(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn the_public_half_comes_from_the_private_one() {
        assert_eq!(VapidKey::parse(PRIVATE).unwrap().public_key(), PUBLIC);
        let zero = BASE64_URL_SAFE_NO_PAD.encode([0; 32]);
        let order = BASE64_URL_SAFE_NO_PAD.encode([0xff; 32]);
        for wrong in ["", "x", PUBLIC, &zero, &order, &PRIVATE[1..], "-----BEGIN"] {
            assert!(VapidKey::parse(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", VapidKey::parse(PRIVATE)).contains(PRIVATE));
    }

    #[test]
    fn a_new_key_is_a_key_and_no_two_are_alike() {
        let [one, other] = [(); 2].map(|()| VapidKey::generate().unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        let key = VapidKey::parse(one.expose_secret()).unwrap();
        assert_eq!(decoded(key.public_key()).len(), 65);
    }

    #[test]
    fn a_token_is_for_one_service_and_half_a_day() {
        let key = VapidKey::parse(PRIVATE).unwrap();
        let endpoint = "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA"
            .parse()
            .unwrap();
        let now = "2026-11-24T03:12:00Z".parse().unwrap();
        let header = key
            .authorization(&endpoint, "mailto:anna@wine.example", now)
            .unwrap();
        let rest = header.strip_prefix("vapid t=").unwrap();
        let (token, public) = rest.split_once(", k=").unwrap();
        assert_eq!(public, PUBLIC);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(PUBLIC))
            .verify(signed.as_bytes(), &decoded(signature))
            .expect("a signature of this key");
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&decoded(part)).unwrap())
            .collect();
        assert_eq!(
            parts,
            [
                json!({"typ": "JWT", "alg": "ES256"}),
                json!({
                    "aud": "https://wns2-par02p.notify.windows.com",
                    "exp": 1_795_533_120,
                    "sub": "mailto:anna@wine.example",
                }),
            ]
        );
    }
}
