//! A push service, and the browsers that subscribe at it. It takes what a real one takes,
//! and decrypts it with the keys of the subscription, as the browser would.
//!
//! `POST /subscriptions` answers a new subscription, as a page's `subscribe` does; `DELETE` of
//! its endpoint ends it, as whoever takes the permission away does.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use p256::{SecretKey, elliptic_curve::sec1::ToEncodedPoint};
use ring::{
    aead::{self, AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{self, SHA256},
    hkdf::{self, HKDF_SHA256},
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use serde_json::{Value, json};

use super::{Channel, Message, Reply, stand_ins::StandIn};
use crate::{answer, clock, fault::Service, random};

const BODY_LIMIT: usize = 4_096;
const SALT: usize = 16;
const POINT: usize = 65;

/// The longest life of a token, in seconds.
const TOKEN_LIFE: i64 = 86_400;

pub(super) const STAND_IN: StandIn = StandIn {
    service: Service::Push,
    replies: |secret| {
        let service = PushService::new(secret);
        Box::new(move |request| service.reply(request))
    },
    variables: |secret, url| {
        vec![
            ("PUSH_SERVICE_URL", url.to_owned()),
            (
                "VAPID_PRIVATE_KEY",
                BASE64_URL_SAFE_NO_PAD.encode(derived(secret, "vapid")),
            ),
        ]
    },
};

/// Bytes that follow from the stand-in's secret and a word.
fn derived(secret: &str, word: &str) -> [u8; 32] {
    let hash = digest::digest(&SHA256, format!("{secret}:{word}").as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.as_ref());
    bytes
}

/// Its browsers have keys that follow from the last part of their endpoints, so that a stack
/// that starts anew on the same data knows those of before.
struct PushService {
    secret: String,
    /// The public key that is to send.
    sender: Option<Vec<u8>>,
    ended: Mutex<BTreeSet<String>>,
}

impl PushService {
    fn new(secret: &str) -> Self {
        let sender = SecretKey::from_slice(&derived(secret, "vapid")).ok();
        Self {
            secret: secret.to_owned(),
            sender: sender.map(|key| public(&key)),
            ended: Mutex::default(),
        }
    }

    fn reply(&self, request: &Request<Bytes>) -> Reply {
        let path = request.uri().path();
        match (request.method(), path.strip_prefix("/push/")) {
            (&Method::POST, None) if path == "/subscriptions" => self.subscribe(request).into(),
            (&Method::POST, Some(id)) => self.take(id, request),
            (&Method::DELETE, Some(id)) => {
                let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
                ended.insert(id.to_owned());
                answer::empty(StatusCode::NO_CONTENT).into()
            }
            _ => answer::empty(StatusCode::NOT_FOUND).into(),
        }
    }

    fn subscribe(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let Ok(id) = random::hex::<8>() else {
            return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let Some((key, auth)) = self.browser(&id) else {
            return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let subscription = json!({
            "endpoint": format!("http://{host}/push/{id}"),
            "expirationTime": null,
            "keys": {
                "p256dh": BASE64_URL_SAFE_NO_PAD.encode(public(&key)),
                "auth": BASE64_URL_SAFE_NO_PAD.encode(auth),
            },
        });
        answer::json(StatusCode::CREATED, &subscription)
    }

    fn browser(&self, id: &str) -> Option<(SecretKey, [u8; 16])> {
        let key = SecretKey::from_slice(&derived(&self.secret, &format!("key:{id}"))).ok()?;
        let auth = derived(&self.secret, &format!("auth:{id}"));
        Some((key, auth[..16].try_into().ok()?))
    }

    fn take(&self, id: &str, request: &Request<Bytes>) -> Reply {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.contains(id) {
            return answer::empty(StatusCode::GONE).into();
        }
        match self.read(id, request) {
            Ok(said) => {
                let mut response = answer::empty(StatusCode::CREATED);
                let location = format!("/messages/{id}");
                if let Ok(location) = location.parse() {
                    response.headers_mut().insert(header::LOCATION, location);
                }
                let notification = &said["notification"];
                let text = |key: &str| notification[key].as_str().unwrap_or_default().to_owned();
                Reply {
                    response,
                    message: Some(Message {
                        channel: Channel::Push,
                        at: clock::now(),
                        to: request.uri().path().to_owned(),
                        subject: Some(text("title")),
                        text: format!("{}\n{}", text("title"), text("body")),
                        raw: said,
                    }),
                }
            }
            Err((status, why)) => answer::text(status, why).into(),
        }
    }

    /// What a push says to the browser of that id, if everything about it is in order.
    fn read(
        &self,
        id: &str,
        request: &Request<Bytes>,
    ) -> Result<Value, (StatusCode, &'static str)> {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            value.to_str().ok()
        };
        let bad = |why| (StatusCode::BAD_REQUEST, why);
        if request.body().len() > BODY_LIMIT {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "payload too large"));
        }
        let ttl = header("ttl").and_then(|ttl| ttl.parse::<u32>().ok());
        ttl.ok_or(bad("TTL is needed"))?;
        if !["very-low", "low", "normal", "high"].contains(&header("urgency").unwrap_or("normal")) {
            return Err(bad("no such urgency"));
        }
        let is_topic = |topic: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            (1..=32).contains(&topic.len()) && topic.bytes().all(known)
        };
        if header("topic").is_some_and(|topic| !is_topic(topic)) {
            return Err(bad("topic is not 1 to 32 letters of base64url"));
        }
        if header("content-encoding") != Some("aes128gcm") {
            return Err(bad("content-encoding is not aes128gcm"));
        }
        let host = header("host").unwrap_or_default();
        let proof = header("authorization").unwrap_or_default();
        self.proves(proof, &format!("http://{host}")).ok_or((
            StatusCode::FORBIDDEN,
            "not proven by the key of the subscription",
        ))?;
        let (key, auth) = self.browser(id).ok_or(bad("no such subscription"))?;
        let plain = decrypt(request.body(), &key, auth).ok_or(bad("cannot be decrypted"))?;
        serde_json::from_slice(&plain).map_err(|_| bad("says no JSON"))
    }

    /// Whether a header is proof of the sender, for this service and now: RFC 8292.
    fn proves(&self, header: &str, audience: &str) -> Option<()> {
        let (token, key) = header.strip_prefix("vapid t=")?.split_once(", k=")?;
        let key = BASE64_URL_SAFE_NO_PAD.decode(key).ok()?;
        if self.sender.as_ref() != Some(&key) {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        let (_, claims) = signed.split_once('.')?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let left = claims["exp"].as_i64()? - clock::now().as_second();
        let contact = claims["sub"].as_str()?;
        let is_contact = contact.starts_with("mailto:") || contact.starts_with("https://");
        (claims["aud"] == audience && (1..=TOKEN_LIFE).contains(&left) && is_contact).then_some(())
    }
}

fn public(key: &SecretKey) -> Vec<u8> {
    key.public_key().to_encoded_point(false).as_bytes().to_vec()
}

/// RFC 8291, from the browser's side.
fn decrypt(body: &[u8], key: &SecretKey, auth: [u8; 16]) -> Option<Vec<u8>> {
    let (salt, rest) = body.split_at_checked(SALT)?;
    let (size, rest) = rest.split_at_checked(4)?;
    let (length, rest) = rest.split_first()?;
    if usize::from(*length) != POINT || u32::from_be_bytes(size.try_into().ok()?) < 18 {
        return None;
    }
    let (sender, record) = rest.split_at_checked(POINT)?;
    let sender_key = p256::PublicKey::from_sec1_bytes(sender).ok()?;
    let shared = p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), sender_key.as_affine());

    let agreed = hkdf::Salt::new(HKDF_SHA256, &auth).extract(shared.raw_secret_bytes());
    let own = public(key);
    let mut material = [0; 32];
    let info = [b"WebPush: info\0".as_slice(), &own, sender];
    agreed
        .expand(&info, HKDF_SHA256)
        .ok()?
        .fill(&mut material)
        .ok()?;
    let material = hkdf::Salt::new(HKDF_SHA256, salt).extract(&material);
    let info = [b"Content-Encoding: aes128gcm\0".as_slice()];
    let content_key: UnboundKey = material.expand(&info, &AES_128_GCM).ok()?.into();
    let mut nonce = [0; aead::NONCE_LEN];
    let info = [b"Content-Encoding: nonce\0".as_slice()];
    material
        .expand(&info, OfNonce)
        .ok()?
        .fill(&mut nonce)
        .ok()?;

    let mut record = record.to_vec();
    let plain = LessSafeKey::new(content_key)
        .open_in_place(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut record,
        )
        .ok()?;
    // The last record ends with 2 and as many zeros as it was padded with.
    let end = plain.iter().rposition(|byte| *byte != 0)?;
    (plain[end] == 2).then(|| plain[..end].to_vec())
}

/// The length of a nonce.
struct OfNonce;

impl hkdf::KeyType for OfNonce {
    fn len(&self) -> usize {
        aead::NONCE_LEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8291, section 5.
    #[test]
    fn it_reads_what_another_wrote() {
        let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let key = SecretKey::from_slice(&bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"));
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg").try_into().unwrap();
        let body = bytes(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        );
        let key = key.unwrap();
        let plain = decrypt(&body, &key, auth).unwrap();
        assert_eq!(plain, b"When I grow up, I want to be a watermelon");
        for at in [0, 20, 30, 100, body.len() - 1] {
            let mut other = body.clone();
            other[at] ^= 1;
            assert_eq!(decrypt(&other, &key, auth), None, "{at}");
        }
        for length in [0, 16, 21, 86, 100] {
            assert_eq!(decrypt(&body[..length], &key, auth), None, "{length}");
        }
    }

    #[test]
    fn a_subscription_ends_and_what_is_not_proven_is_not_taken() {
        let service = PushService::new("secret");
        let ask = |method: Method, path: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let reply = service.reply(&request.body(Bytes::new()).unwrap());
            assert!(reply.message.is_none());
            reply.response
        };
        let host = [("host", "127.0.0.1:1")];
        let made = ask(Method::POST, "/subscriptions", &host);
        assert_eq!(made.status(), 201);
        let made: Value = serde_json::from_slice(made.body()).unwrap();
        let endpoint = made["endpoint"].as_str().unwrap();
        let path = endpoint.strip_prefix("http://127.0.0.1:1").unwrap();
        let headers = [
            ("host", "127.0.0.1:1"),
            ("ttl", "1"),
            ("content-encoding", "aes128gcm"),
        ];
        assert_eq!(ask(Method::POST, path, &headers[..1]).status(), 400);
        assert_eq!(ask(Method::POST, path, &headers).status(), 403);
        assert_eq!(ask(Method::DELETE, path, &host).status(), 204);
        assert_eq!(ask(Method::POST, path, &headers).status(), 410);
    }
}
