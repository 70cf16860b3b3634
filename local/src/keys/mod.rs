//! A project's keys: what API callers present, and what user tokens are signed
//! with. Both of Supabase's forms stand side by side, the opaque keys and the
//! legacy tokens.

mod token;

use std::{path::Path, sync::OnceLock};

use anyhow::{Context, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{clock, files::load_or_make, gateway::GatewayConfig, random};

/// How long an API key in token form is valid: ten years, as on Supabase.
const API_KEY_LIFE_S: i64 = 10 * 365 * 24 * 3600;

/// The keys of one project.
pub struct Keys {
    stored: Stored,
    es256: EcdsaKeyPair,
    /// Who issues user tokens, known once the project's URL is.
    issuer: OnceLock<String>,
}

/// What is kept in the data folder.
#[derive(Serialize, Deserialize)]
struct Stored {
    jwt_secret: String,
    /// The private ES256 key, PKCS#8, base64url.
    es256: String,
    es256_id: String,
    anon_jwt: String,
    service_role_jwt: String,
    publishable_key: String,
    secret_key: String,
}

impl Keys {
    /// Fresh keys.
    pub fn generate() -> anyhow::Result<Self> {
        Self::from_stored(Stored::generate()?)
    }

    /// The keys kept in `folder` as `keys.json`, made at the first call.
    pub fn load_or_generate(folder: &Path) -> anyhow::Result<Self> {
        Self::from_stored(load_or_make(&folder.join("keys.json"), Stored::generate)?)
    }

    /// The shared secret of HS256 tokens (`SUPABASE_JWT_SECRET`).
    #[must_use]
    pub fn jwt_secret(&self) -> &str {
        &self.stored.jwt_secret
    }

    /// The key `anon` in its legacy form, a token.
    #[must_use]
    pub fn anon_jwt(&self) -> &str {
        &self.stored.anon_jwt
    }

    /// The key `service_role` in its legacy form, a token.
    #[must_use]
    pub fn service_role_jwt(&self) -> &str {
        &self.stored.service_role_jwt
    }

    /// The key `sb_publishable_…`, which stands for the role `anon`.
    #[must_use]
    pub fn publishable_key(&self) -> &str {
        &self.stored.publishable_key
    }

    /// The key `sb_secret_…`, which stands for the role `service_role`.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.stored.secret_key
    }

    /// The public key of user tokens, as a JWK.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        // The point in its uncompressed form: a mark, then both coordinates.
        let (x, y) = self.es256.public_key().as_ref()[1..].split_at(32);
        json!({
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "key_ops": ["verify"],
            "kid": self.stored.es256_id,
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// What `/auth/v1/.well-known/jwks.json` answers.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.public_jwk()] })
    }

    /// Names the project's URL, which user tokens carry as their issuer. The
    /// first call counts.
    pub(crate) fn set_url(&self, url: &str) {
        self.issuer.get_or_init(|| format!("{url}/auth/v1"));
    }

    /// A user's access token, signed with ES256 as a project does today.
    pub fn user_token(
        &self,
        subject: &str,
        email: &str,
        app_metadata: &Value,
        expires: Timestamp,
    ) -> anyhow::Result<String> {
        self.sign(&self.user_claims(subject, email, app_metadata, expires))
    }

    /// A user's access token, signed with the shared secret as old projects do.
    #[must_use]
    pub fn user_token_hs256(
        &self,
        subject: &str,
        email: &str,
        app_metadata: &Value,
        expires: Timestamp,
    ) -> String {
        let claims = self.user_claims(subject, email, app_metadata, expires);
        token::sign_hs256(&self.stored.jwt_secret, &claims)
    }

    /// Any claims, signed with ES256.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        self.sign_under(&json!({}), claims)
    }

    /// Any claims, signed with ES256 under a header with some fields replaced or
    /// added, whatever these say.
    pub fn sign_under(&self, fields: &Value, claims: &Value) -> anyhow::Result<String> {
        let mut header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.stored.es256_id });
        for (name, value) in fields.as_object().into_iter().flatten() {
            header[name] = value.clone();
        }
        token::sign_es256(&self.es256, &header, claims)
    }

    /// A gateway's configuration with these keys and Supabase's settings.
    #[must_use]
    pub fn gateway_config(&self, database: tokio_postgres::Config) -> GatewayConfig {
        GatewayConfig {
            jwt_secret: self.stored.jwt_secret.clone(),
            es256_public_jwk: Some(self.public_jwk()),
            publishable_key: self.stored.publishable_key.clone(),
            secret_key: self.stored.secret_key.clone(),
            anon_jwt: self.stored.anon_jwt.clone(),
            service_role_jwt: self.stored.service_role_jwt.clone(),
            ..GatewayConfig::new(database)
        }
    }

    /// The claims of an access token of Supabase Auth, issued an hour before it
    /// expires, as theirs are, and never in the future.
    pub(crate) fn user_claims(
        &self,
        subject: &str,
        email: &str,
        app_metadata: &Value,
        expires: Timestamp,
    ) -> Value {
        let issuer = self
            .issuer
            .get()
            .map_or("http://127.0.0.1/auth/v1", String::as_str);
        let expires = expires.as_second();
        let issued_at = (expires - 3600).min(clock::now().as_second());
        json!({
            "iss": issuer,
            "sub": subject,
            "aud": "authenticated",
            "role": "authenticated",
            "iat": issued_at,
            "exp": expires,
            "email": email,
            "phone": "",
            "app_metadata": app_metadata,
            "user_metadata": {},
            "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": issued_at }],
            "is_anonymous": false,
        })
    }

    fn from_stored(stored: Stored) -> anyhow::Result<Self> {
        let pkcs8 = URL_SAFE_NO_PAD
            .decode(&stored.es256)
            .context("the ES256 key is not base64url")?;
        let es256 = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &pkcs8,
            &SystemRandom::new(),
        )
        .map_err(|error| anyhow!("the ES256 key cannot be used: {error}"))?;
        Ok(Self {
            stored,
            es256,
            issuer: OnceLock::new(),
        })
    }
}

impl Stored {
    fn generate() -> anyhow::Result<Self> {
        let jwt_secret = random::hex::<32>()?;
        let es256 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map_err(|_| anyhow!("cannot make an ES256 key"))?;
        let now = clock::now().as_second();
        let api_key = |role: &str| {
            let claims = json!({
                "iss": "supabase",
                "ref": "local",
                "role": role,
                "iat": now,
                "exp": now + API_KEY_LIFE_S,
            });
            token::sign_hs256(&jwt_secret, &claims)
        };
        Ok(Self {
            es256: URL_SAFE_NO_PAD.encode(es256.as_ref()),
            es256_id: uuid::Uuid::new_v4().to_string(),
            anon_jwt: api_key("anon"),
            service_role_jwt: api_key("service_role"),
            publishable_key: opaque("sb_publishable_")?,
            secret_key: opaque("sb_secret_")?,
            jwt_secret,
        })
    }
}

/// An opaque key in the form of Supabase's: 22 characters, a line, 8 more.
fn opaque(prefix: &str) -> anyhow::Result<String> {
    let key = URL_SAFE_NO_PAD.encode(random::bytes::<16>()?);
    let check = URL_SAFE_NO_PAD.encode(random::bytes::<6>()?);
    Ok(format!("{prefix}{key}_{check}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Gateway;

    fn claims_of(token: &str) -> Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_the_same_after_a_second_load() {
        let folder = std::env::temp_dir().join(format!("keys-{}", random::hex::<6>().unwrap()));
        std::fs::create_dir(&folder).unwrap();
        let first = Keys::load_or_generate(&folder).unwrap();
        let second = Keys::load_or_generate(&folder).unwrap();
        assert_eq!(first.jwks(), second.jwks());
        assert_eq!(first.secret_key(), second.secret_key());
        assert_eq!(first.service_role_jwt(), second.service_role_jwt());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn api_keys_have_a_role_and_no_subject() {
        let keys = Keys::generate().unwrap();
        for (key, role) in [
            (keys.anon_jwt(), "anon"),
            (keys.service_role_jwt(), "service_role"),
        ] {
            let claims = claims_of(key);
            assert_eq!(claims["role"], role);
            assert_eq!(claims.get("sub"), None);
        }
        assert!(keys.publishable_key().starts_with("sb_publishable_"));
        assert!(keys.secret_key().starts_with("sb_secret_"));
    }

    #[test]
    fn user_tokens_verify_until_they_expire_or_are_changed() {
        let gateway = |keys: &Keys| {
            let nowhere = tokio_postgres::Config::new();
            Gateway::new(keys.gateway_config(nowhere)).unwrap()
        };
        let keys = Keys::generate().unwrap();
        let own = gateway(&keys);
        let now = clock::now();
        let later = Timestamp::from_second(now.as_second() + 600).unwrap();
        let expired = Timestamp::from_second(now.as_second() - 600).unwrap();
        let admin = json!({ "role": "admin" });
        let es256 = keys.user_token("u", "a@b.test", &admin, later).unwrap();
        let hs256 = keys.user_token_hs256("u", "a@b.test", &admin, later);
        let stranger = gateway(&Keys::generate().unwrap());
        for token in [&es256, &hs256] {
            let claims = own.verify_token(token).unwrap();
            assert_eq!(claims["app_metadata"]["role"], "admin");
            assert_eq!(claims["aud"], "authenticated");
            assert_eq!(stranger.verify_token(token).unwrap_err().code, "PGRST301");
        }
        let old = keys.user_token("u", "a@b.test", &admin, expired).unwrap();
        assert_eq!(own.verify_token(&old).unwrap_err().code, "PGRST303");
    }
}
