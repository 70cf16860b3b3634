//! User tokens of Supabase Auth.
//!
//! A token proves a user, never a right: rights come from `app_metadata`, which
//! only the server can write. API keys are tokens too and are refused here, for
//! they have no subject.

use std::{
    sync::{Mutex, Once, PoisonError},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    jwk::{Jwk, JwkSet},
    signature::{self, Verifier},
};
use outside::{clock, failure::Failure, outbound};
use ring::{hmac, signature as ring_signature};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Attempt, Verdict};

/// How far clocks may differ.
const LEEWAY_S: u64 = 60;
/// How long a project's keys are kept.
const KEYS_LIFE: Duration = Duration::from_secs(600);
/// How often an unknown key id may make us look again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
const KEYS_LIMIT: usize = 64 * 1024;

/// A signed-in admin of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The user's id.
    pub subject: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    role: String,
    #[serde(default)]
    app_metadata: AppMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AppMetadata {
    role: Option<String>,
}

/// A project's public keys, kept for ten minutes.
#[derive(Debug, Default)]
pub(super) struct Jwks {
    fetched: Mutex<Option<Fetched>>,
}

#[derive(Debug, Clone)]
struct Fetched {
    at: Instant,
    keys: JwkSet,
}

/// Why a token could not be judged, or was judged wrong.
enum Rejection {
    Wrong,
    KeysUnreachable,
}

/// Whether a bearer has a token's shape: anything else is not worth a key.
pub(super) fn looks_like(presented: &str) -> bool {
    presented.split('.').count() == 3 && presented.len() <= 8 * 1024
}

pub(super) async fn examine(attempt: &Attempt<'_>, token: &str) -> Verdict<Admin> {
    match claims(attempt, token).await {
        Ok(claims) if claims.role != "authenticated" || claims.sub.is_empty() => Verdict::Wrong,
        Ok(Claims {
            sub, app_metadata, ..
        }) => match app_metadata.role.as_deref() {
            Some("admin") => Verdict::Right(Admin { subject: sub }),
            _ => Verdict::Forbidden,
        },
        Err(Rejection::Wrong) => Verdict::Wrong,
        Err(Rejection::KeysUnreachable) => Verdict::Unproven,
    }
}

async fn claims(attempt: &Attempt<'_>, token: &str) -> Result<Claims, Rejection> {
    install_ring();
    let header = jsonwebtoken::decode_header(token).map_err(|_| Rejection::Wrong)?;
    let (algorithm, key) = match header.alg {
        Algorithm::HS256 => {
            let secret = attempt.config.jwt_secret.as_ref();
            let secret = secret.ok_or(Rejection::Wrong)?;
            let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
            (Algorithm::HS256, key)
        }
        Algorithm::ES256 | Algorithm::RS256 => {
            let id = header.kid.as_deref().ok_or(Rejection::Wrong)?;
            let jwk = key_of(attempt, id).await?;
            // The algorithm is the key's own, never the token's choice.
            let algorithm = algorithm_of(&jwk).ok_or(Rejection::Wrong)?;
            (
                algorithm,
                DecodingKey::from_jwk(&jwk).map_err(|_| Rejection::Wrong)?,
            )
        }
        _ => return Err(Rejection::Wrong),
    };
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_audience(&["authenticated"]);
    validation.set_required_spec_claims(&["exp", "sub", "aud"]);
    jsonwebtoken::decode(token, &key, &validation)
        .map(|data| data.claims)
        .map_err(|_| Rejection::Wrong)
}

fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    use jsonwebtoken::jwk::AlgorithmParameters::{EllipticCurve, RSA};
    match jwk.algorithm {
        EllipticCurve(_) => Some(Algorithm::ES256),
        RSA(_) => Some(Algorithm::RS256),
        _ => None,
    }
}

/// The project's key of that id: from the kept set, else fetched anew.
async fn key_of(attempt: &Attempt<'_>, id: &str) -> Result<Jwk, Rejection> {
    let jwks = &attempt.gate.jwks;
    let kept = jwks.kept();
    let age = kept
        .as_ref()
        .map(|fetched| clock::instant().duration_since(fetched.at));
    let found = kept
        .as_ref()
        .and_then(|fetched| fetched.keys.find(id))
        .cloned();
    match (found, age) {
        (Some(key), Some(age)) if age < KEYS_LIFE => return Ok(key),
        (None, Some(age)) if age < LOOK_AGAIN => return Err(Rejection::Wrong),
        // A client that keeps sending wrong proofs must not make us fetch keys.
        _ if attempt.gate.limiter.is_limited(attempt.client()) => return Err(Rejection::Wrong),
        _ => {}
    }
    let keys = fetch(attempt).await.map_err(|error| {
        tracing::warn!(%error, "the project's public keys cannot be fetched");
        Rejection::KeysUnreachable
    })?;
    let key = keys.find(id).cloned();
    jwks.keep(Fetched {
        at: clock::instant(),
        keys,
    });
    key.ok_or(Rejection::Wrong)
}

async fn fetch(attempt: &Attempt<'_>) -> Result<JwkSet, Failure> {
    let supabase = attempt.config.supabase.as_ref().ok_or(Failure::Request)?;
    let base = supabase.url.as_str().trim_end_matches('/');
    let response = attempt
        .outbound
        .client()?
        .get(format!("{base}/auth/v1/.well-known/jwks.json"))
        .timeout(FETCH_TIMEOUT.min(attempt.deadline.remaining()))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(|error| Failure::of(&error))?;
    let body = outbound::body(response, KEYS_LIMIT).await?;
    serde_json::from_slice(&body).map_err(|_| Failure::Reset)
}

impl Jwks {
    fn kept(&self) -> Option<Fetched> {
        self.fetched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, fetched: Fetched) {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
    }
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
