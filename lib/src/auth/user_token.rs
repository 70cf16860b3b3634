//! User tokens of Supabase Auth.
//!
//! A token proves a user, never a right: rights come from `app_metadata`, which
//! only the server can write. API keys are tokens too and are refused here, for
//! they have no subject.

use std::sync::Once;

use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    jwk::{AlgorithmParameters, Jwk},
    signature::{self, Verifier},
};
use outside::clock;
use ring::{hmac, signature as ring_signature};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{Attempt, Verdict, claims, project_keys::NoKey, user::User};

/// Whether a bearer has a token's shape: anything else is not worth a key.
pub(super) fn looks_like(presented: &str) -> bool {
    presented.split('.').count() == 3 && presented.len() <= 8 * 1024
}

pub(super) async fn examine(attempt: &Attempt<'_>, token: &str) -> Verdict<User> {
    install_ring();
    let Some(header) = header(token) else {
        return Verdict::Wrong;
    };
    let (algorithm, key) = match key(attempt, &header).await {
        Ok(Some(found)) => found,
        Ok(None) | Err(NoKey::Unknown) => return Verdict::Wrong,
        Err(NoKey::Unreachable) => return Verdict::Unproven,
    };
    let Some(claims) = signed(token, algorithm, &key) else {
        return Verdict::Wrong;
    };
    let Some(issuer) = attempt.config.jwt_issuer() else {
        return Verdict::Unproven;
    };
    if claims.get("iss").and_then(Value::as_str) != Some(issuer.as_str()) {
        tracing::warn!(
            expected = issuer,
            "a token that the project signed names another issuer; see SUPABASE_JWT_ISSUER"
        );
    }
    claims::judge(&claims, &issuer, clock::now())
}

/// The header of a token; `None` if it has none, or one with extensions that
/// whoever does not know them must refuse. We know none.
fn header(token: &str) -> Option<Header> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    header.crit.is_none().then_some(header)
}

/// The key that the header asks for, with the one algorithm that it is good for;
/// none where the project uses no such keys.
async fn key(
    attempt: &Attempt<'_>,
    header: &Header,
) -> Result<Option<(Algorithm, DecodingKey)>, NoKey> {
    match header.alg {
        Algorithm::HS256 => Ok(attempt.config.jwt_secret.as_ref().map(|secret| {
            let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
            (Algorithm::HS256, key)
        })),
        Algorithm::ES256 | Algorithm::RS256 => {
            let Some(id) = header.kid.as_deref() else {
                return Ok(None);
            };
            let jwk = attempt.gate.project_keys.find(attempt, id).await?;
            Ok(algorithm_of(&jwk).zip(DecodingKey::from_jwk(&jwk).ok()))
        }
        _ => Ok(None),
    }
}

/// The algorithm is the key's own, never the token's choice.
fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    match jwk.algorithm {
        AlgorithmParameters::EllipticCurve(_) => Some(Algorithm::ES256),
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        _ => None,
    }
}

/// The claims of a token that this key signed. What they say is judged apart, in
/// one place, by our own clock.
fn signed(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode(token, key, &validation)
        .map(|data| data.claims)
        .ok()
}

/// Lets `jsonwebtoken` verify with ring, the one provider of the bundle.
fn install_ring() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| -> Result<Box<dyn JwtSigner>, Error> {
            Err(ErrorKind::InvalidAlgorithm.into())
        },
        verifier_factory: |algorithm, key| {
            Ok(Box::new(RingVerifier {
                algorithm: *algorithm,
                key: key.clone(),
            }))
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Only an earlier provider can be in the way, and it verifies as well.
        let _ = PROVIDER.install_default();
    });
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> Result<(), signature::Error> {
        self.check(message, signed)
            .ok_or_else(signature::Error::new)
    }
}

impl RingVerifier {
    fn check(&self, message: &[u8], signed: &[u8]) -> Option<()> {
        match self.algorithm {
            Algorithm::HS256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.try_get_as_bytes().ok()?);
                hmac::verify(&key, message, signed).ok()
            }
            Algorithm::ES256 => ring_signature::UnparsedPublicKey::new(
                &ring_signature::ECDSA_P256_SHA256_FIXED,
                self.key.try_get_as_bytes().ok()?,
            )
            .verify(message, signed)
            .ok(),
            Algorithm::RS256 => {
                let jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, e } = self.key.kind()
                else {
                    return None;
                };
                ring_signature::RsaPublicKeyComponents { n, e }
                    .verify(&ring_signature::RSA_PKCS1_2048_8192_SHA256, message, signed)
                    .ok()
            }
            _ => None,
        }
    }
}
