//! Proves tokens: HS256 by the project's secret, ES256 by its public key.
//!
//! Checked in this order: three parts, algorithm and signature, a JSON object,
//! claims. No audience is configured, so any well-formed one will do.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use jiff::Timestamp;
use ring::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{ApiError, Result};

/// How far the clocks of issuer and server may differ.
const LEEWAY_S: f64 = 30.0;

/// The keys that tokens are proven with.
pub(super) struct Verifier {
    hs256: Option<hmac::Key>,
    /// An uncompressed point on P-256.
    es256: Option<UnparsedPublicKey<Vec<u8>>>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    alg: String,
}

/// The part of a public JWK that is a point.
#[derive(Deserialize)]
struct Point {
    x: String,
    y: String,
}

impl Verifier {
    /// Fails if the public key is no P-256 point. An empty secret is none.
    pub(super) fn new(secret: &str, public_jwk: Option<&Value>) -> anyhow::Result<Self> {
        let hs256 =
            (!secret.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        let es256 = public_jwk.map(public_key).transpose()?;
        Ok(Self { hs256, es256 })
    }

    /// The claims of a token that is proven and valid at `now`.
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Map<String, Value>> {
        if self.hs256.is_none() && self.es256.is_none() {
            return Err(ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "PGRST300",
                "Server lacks JWT secret",
            ));
        }
        if token.is_empty() {
            return Err(undecodable("Empty JWT is sent in Authorization header"));
        }
        let parts: Vec<&str> = token.split('.').collect();
        let &[header, payload, signature] = parts.as_slice() else {
            let found = format!("Expected 3 parts in JWT; got {}", parts.len());
            return Err(undecodable(&found));
        };
        self.prove(header, payload, signature)?;
        let claims = decode(payload)?;
        let claims: Map<String, Value> =
            serde_json::from_slice(&claims).map_err(|_| invalid("Parsing claims failed"))?;
        check_times(&claims, now)?;
        check_audience(&claims)?;
        Ok(claims)
    }

    fn prove(&self, header: &str, payload: &str, signature: &str) -> Result<()> {
        let alg = serde_json::from_slice::<Header>(&decode(header)?)
            .map_err(|_| garbage())?
            .alg;
        let signed = format!("{header}.{payload}");
        let signature = decode(signature)?;
        let proven = match (alg.as_str(), &self.hs256, &self.es256) {
            ("HS256", Some(key), _) => hmac::verify(key, signed.as_bytes(), &signature).is_ok(),
            ("ES256", _, Some(key)) => key.verify(signed.as_bytes(), &signature).is_ok(),
            ("" | "none", _, _) => {
                return Err(undecodable("Wrong or unsupported encoding algorithm"));
            }
            _ => false,
        };
        if proven {
            Ok(())
        } else {
            Err(undecodable("No suitable key or wrong key type")
                .details("None of the keys was able to decode the JWT"))
        }
    }
}

fn public_key(jwk: &Value) -> anyhow::Result<UnparsedPublicKey<Vec<u8>>> {
    let point = Point::deserialize(jwk)?;
    let mut bytes = vec![4];
    bytes.extend(URL_SAFE_NO_PAD.decode(point.x)?);
    bytes.extend(URL_SAFE_NO_PAD.decode(point.y)?);
    anyhow::ensure!(bytes.len() == 65, "the public key is no point on P-256");
    Ok(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes))
}

fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<()> {
    let now = now.as_duration().as_secs_f64();
    if time(claims, "exp")?.is_some_and(|exp| now > exp + LEEWAY_S) {
        return Err(invalid("JWT expired"));
    }
    if time(claims, "nbf")?.is_some_and(|nbf| now + LEEWAY_S < nbf) {
        return Err(invalid("JWT not yet valid"));
    }
    if time(claims, "iat")?.is_some_and(|iat| now + LEEWAY_S < iat) {
        return Err(invalid("JWT issued at future"));
    }
    Ok(())
}

fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_f64()
            .map(Some)
            .ok_or_else(|| invalid(&format!("The JWT '{name}' claim must be a number"))),
    }
}

fn check_audience(claims: &Map<String, Value>) -> Result<()> {
    match claims.get("aud") {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => Ok(()),
        Some(_) => Err(invalid(
            "The JWT 'aud' claim must be a string or an array of strings",
        )),
    }
}

fn decode(part: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| garbage())
}

fn garbage() -> ApiError {
    undecodable("JWT cryptographic operation failed")
}

fn undecodable(message: &str) -> ApiError {
    ApiError::bad_token("PGRST301", message)
}

fn invalid(message: &str) -> ApiError {
    ApiError::bad_token("PGRST303", message)
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a-secret-of-at-least-32-characters";
    const NOW: i64 = 1_750_000_000;

    fn encode(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn hs256(secret: &str, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(&json!({"alg": "HS256"})), encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn verify(token: &str) -> Result<Map<String, Value>> {
        Verifier::new(SECRET, None)
            .unwrap()
            .verify(token, Timestamp::from_second(NOW).unwrap())
    }

    fn check_refused(token: &str, code: &str, message: &str) {
        let refusal = verify(token).unwrap_err().into_response();
        let body: Value = serde_json::from_slice(refusal.body()).unwrap();
        assert_eq!(refusal.status(), 401, "{token}");
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!(code), &json!(message))
        );
        assert_eq!(
            refusal.headers()["www-authenticate"],
            format!("Bearer error=\"invalid_token\", error_description=\"{message}\"")
        );
    }

    #[test]
    fn valid_tokens_give_their_claims() {
        for claims in [
            json!({}),
            json!({"role": "authenticated", "aud": "authenticated", "exp": NOW - 29}),
            json!({"aud": ["a", "b"], "nbf": NOW + 29, "iat": NOW + 29}),
        ] {
            assert_eq!(
                Value::Object(verify(&hs256(SECRET, &claims)).unwrap()),
                claims
            );
        }
    }

    #[test]
    fn malformed_and_unproven_tokens_are_refused() {
        let good = hs256(SECRET, &json!({"sub": "1"}));
        let (head, _signature) = good.rsplit_once('.').unwrap();
        let unsigned = format!(
            "{}.{}.",
            encode(&json!({"alg": "none"})),
            encode(&json!({}))
        );
        let no_key = "No suitable key or wrong key type";
        check_refused("", "PGRST301", "Empty JWT is sent in Authorization header");
        check_refused("a.b", "PGRST301", "Expected 3 parts in JWT; got 2");
        check_refused("!.!.!", "PGRST301", "JWT cryptographic operation failed");
        check_refused(
            &unsigned,
            "PGRST301",
            "Wrong or unsupported encoding algorithm",
        );
        check_refused(&hs256("another secret", &json!({})), "PGRST301", no_key);
        check_refused(&format!("{head}.AAAA"), "PGRST301", no_key);
    }

    #[test]
    fn invalid_claims_are_refused() {
        let check = |claims: Value, message: &str| {
            check_refused(&hs256(SECRET, &claims), "PGRST303", message);
        };
        check(json!("text"), "Parsing claims failed");
        check(json!({"exp": NOW - 31}), "JWT expired");
        check(json!({"nbf": NOW + 31}), "JWT not yet valid");
        check(json!({"iat": NOW + 31}), "JWT issued at future");
        check(
            json!({"exp": "soon"}),
            "The JWT 'exp' claim must be a number",
        );
        check(json!({"nbf": []}), "The JWT 'nbf' claim must be a number");
        check(
            json!({"aud": 1}),
            "The JWT 'aud' claim must be a string or an array of strings",
        );
    }

    #[test]
    fn es256_is_proven_by_the_public_key_alone() {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({
            "kty": "EC",
            "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        });
        let signed = format!(
            "{}.{}",
            encode(&json!({"alg": "ES256"})),
            encode(&json!({"sub": "1"}))
        );
        let signature = pair.sign(&random, signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let now = Timestamp::from_second(NOW).unwrap();

        let verifier = Verifier::new(SECRET, Some(&jwk)).unwrap();
        assert_eq!(verifier.verify(&token, now).unwrap()["sub"], "1");
        assert!(verify(&token).is_err());
        // The public key as an HMAC secret is the classic confusion.
        let confused = hs256(&jwk.to_string(), &json!({"role": "service_role"}));
        assert!(verifier.verify(&confused, now).is_err());
    }
}
