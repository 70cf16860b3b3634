//! RFC 8291: a message is encrypted with AES-128-GCM (RFC 8188, one record) to a key that is
//! agreed between a pair made for this message alone and the browser's.

use ring::{
    aead::{self, AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey},
    error::Unspecified,
    hkdf::{self, HKDF_SHA256},
    rand::{SecureRandom, SystemRandom},
};

use super::subscription::{POINT, Subscription};

/// The most that every push service takes, in bytes.
const RECORD: usize = 4_096;

/// Salt, size of a record, length of a key and the key.
const HEADER: usize = SALT + 4 + 1 + POINT;
const SALT: usize = 16;

/// What ends the last record.
const END: u8 = 2;

/// The most bytes that one message can say.
pub const PLAIN_LIMIT: usize = RECORD - HEADER - 1 - 16;

/// The body of a push that says this to a browser. It fails where that is longer than
/// [`PLAIN_LIMIT`], or where the machine has no randomness.
pub(super) fn encrypt(plain: &[u8], to: &Subscription) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let own_public = own.compute_public_key()?;
    let mut salt = [0; SALT];
    random.fill(&mut salt)?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, to.public_key);
    agreement::agree_ephemeral(own, &theirs, |shared| {
        seal(plain, to, shared, own_public.as_ref(), salt)
    })?
}

/// The body, given the secret that both sides agree on, our public key and the salt.
fn seal(
    plain: &[u8],
    to: &Subscription,
    shared: &[u8],
    own_public: &[u8],
    salt: [u8; SALT],
) -> Result<Vec<u8>, Unspecified> {
    if plain.len() > PLAIN_LIMIT {
        return Err(Unspecified);
    }
    let agreed = hkdf::Salt::new(HKDF_SHA256, &to.auth).extract(shared);
    let mut key = [0; 32];
    agreed
        .expand(
            &[b"WebPush: info\0", &to.public_key, own_public],
            HKDF_SHA256,
        )?
        .fill(&mut key)?;
    let material = hkdf::Salt::new(HKDF_SHA256, &salt).extract(&key);
    let content_key: UnboundKey = material
        .expand(&[b"Content-Encoding: aes128gcm\0"], &AES_128_GCM)?
        .into();
    let mut nonce = [0; aead::NONCE_LEN];
    material
        .expand(&[b"Content-Encoding: nonce\0"], OfNonce)?
        .fill(&mut nonce)?;

    let mut record = plain.to_vec();
    record.push(END);
    LessSafeKey::new(content_key).seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut record,
    )?;
    let mut body = Vec::with_capacity(HEADER + record.len());
    body.extend(salt);
    body.extend(u32::try_from(RECORD).unwrap_or(u32::MAX).to_be_bytes());
    body.push(u8::try_from(own_public.len()).map_err(|_| Unspecified)?);
    body.extend(own_public);
    body.extend(record);
    Ok(body)
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
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The receiver of RFC 8291, section 5, and its private key.
    fn receiver() -> (Subscription, p256::SecretKey) {
        let json = json!({"endpoint": "https://fcm.googleapis.com/x", "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }});
        let key = bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
        (
            Subscription::read(&json, None).unwrap(),
            p256::SecretKey::from_slice(&key).unwrap(),
        )
    }

    fn agreed(own: &p256::SecretKey, theirs: &[u8]) -> Vec<u8> {
        let theirs = p256::PublicKey::from_sec1_bytes(theirs).unwrap();
        p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), theirs.as_affine())
            .raw_secret_bytes()
            .to_vec()
    }

    #[test]
    fn the_example_of_rfc_8291_comes_out_byte_by_byte() {
        let (to, _) = receiver();
        let own = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let own = p256::SecretKey::from_slice(&own).unwrap();
        let own_public = bytes(
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
        );
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let plain = b"When I grow up, I want to be a watermelon";
        let shared = agreed(&own, &to.public_key);
        let body = seal(plain, &to, &shared, &own_public, salt).unwrap();
        assert_eq!(
            BASE64_URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn a_message_fits_into_what_every_service_takes_and_a_longer_one_is_refused() {
        let (to, _) = receiver();
        for length in [0, 1, PLAIN_LIMIT - 1, PLAIN_LIMIT] {
            let body = encrypt(&vec![b'x'; length], &to).unwrap();
            assert_eq!(body.len(), HEADER + length + 1 + 16);
            assert!(body.len() <= RECORD, "{length}");
        }
        assert_eq!(
            encrypt(&vec![b'x'; PLAIN_LIMIT], &to).unwrap().len(),
            RECORD
        );
        assert!(encrypt(&vec![b'x'; PLAIN_LIMIT + 1], &to).is_err());
    }

    #[test]
    fn no_two_bodies_are_alike() {
        let (to, _) = receiver();
        let one = encrypt(b"same", &to).unwrap();
        let other = encrypt(b"same", &to).unwrap();
        assert_ne!(one[..SALT], other[..SALT]);
        assert_ne!(one[SALT + 5..HEADER], other[SALT + 5..HEADER]);
    }
}
