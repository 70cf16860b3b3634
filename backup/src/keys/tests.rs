use ring::hkdf;

use super::*;

const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

fn secret() -> Secret {
    Secret::parse(&SECRET.into()).unwrap()
}

#[test]
fn a_dedupe_key_is_hkdf_of_the_secret() {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            32
        }
    }
    let repo = Uuid::from_u128(7);
    let mut expected = [0; 32];
    let mut bytes = [0; 32];
    assert!(hex::into(SECRET, &mut bytes));
    hkdf::Salt::new(hkdf::HKDF_SHA256, repo.as_bytes())
        .extract(&bytes)
        .expand(&[b"pourtrait dedupe 3"], Length)
        .unwrap()
        .fill(&mut expected)
        .unwrap();
    assert_eq!(secret().dedupe_key(repo, 3).to_hex(), hex::of(&expected));
}

#[test]
fn repository_and_epoch_make_other_keys() {
    let keys = [(1, 1), (1, 2), (2, 1)]
        .map(|(repo, epoch)| secret().dedupe_key(Uuid::from_u128(repo), epoch));
    let names: std::collections::HashSet<_> = keys.iter().map(|key| key.name_of(b"x")).collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_manifests_key_names_as_the_secrets_does() {
    let key = secret().dedupe_key(Uuid::from_u128(1), 1);
    let read = DedupeKey::from_hex(&key.to_hex()).unwrap();
    assert_eq!(read.name_of(b"rows"), key.name_of(b"rows"));
    assert_eq!(read.check_value(), key.check_value());
    assert!(hex::is_hash(&key.name_of(b"rows")));
}

#[test]
fn a_note_is_read_with_its_own_key_and_as_it_was_written() {
    let key = secret().note_key(Uuid::from_u128(1), 1);
    let sealed = key.seal(b"rows".to_vec()).unwrap();
    assert_eq!(key.open(&sealed).as_deref(), Some(&b"rows"[..]));
    assert_ne!(key.seal(b"rows".to_vec()).unwrap(), sealed);
    for other in [
        secret().note_key(Uuid::from_u128(2), 1),
        secret().note_key(Uuid::from_u128(1), 2),
    ] {
        assert_eq!(other.open(&sealed), None);
    }
    for place in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[place] ^= 1;
        assert_eq!(key.open(&altered), None, "{place}");
        assert_eq!(key.open(&sealed[..place]), None, "{place}");
    }
}

#[test]
fn malformed_keys_are_refused() {
    for text in [
        "",
        "00",
        &SECRET[1..],
        &format!("{SECRET}0"),
        &SECRET.replace('0', "g"),
    ] {
        assert_eq!(Secret::parse(&text.into()).unwrap_err(), KeyError::Secret);
        assert_eq!(DedupeKey::from_hex(text).unwrap_err(), KeyError::DedupeKey);
    }
}

#[test]
fn recipients_stand_in_any_order_with_commas_or_blanks() {
    let [first, second] = [generate().recipient, generate().recipient];
    let one = Recipients::parse(&format!("{first}, {second}")).unwrap();
    let other = Recipients::parse(&format!("{second}\n{first}\t{second},")).unwrap();
    assert_eq!(one.fingerprints().len(), 2);
    assert_eq!(one.fingerprints(), other.fingerprints());
}

#[test]
fn a_wrong_recipient_is_named_by_its_place() {
    let Keys {
        recipient,
        identity,
        ..
    } = generate();
    for wrong in [
        "age1",
        "ssh-ed25519",
        &recipient[..40],
        identity.expose_secret(),
    ] {
        let parsed = Recipients::parse(&format!("{recipient},{wrong}"));
        assert_eq!(parsed.unwrap_err(), KeyError::Recipient(2));
    }
    assert_eq!(Recipients::parse(" , ").unwrap_err(), KeyError::NoRecipient);
}

#[test]
fn an_identity_file_may_have_comments() {
    let Keys {
        identity,
        recipient,
        ..
    } = generate();
    let key = identity.expose_secret();
    let file = format!("# created: today\n# public key: {recipient}\n\n  {key}\r\n{key}\n");
    assert!(Identities::parse(&file).is_ok());
    assert_eq!(
        Identities::parse("# only\n").unwrap_err(),
        KeyError::NoIdentity
    );
    let file = format!("#\n{key}\n{recipient}\n");
    assert_eq!(Identities::parse(&file).unwrap_err(), KeyError::Identity(3));
}

#[test]
fn what_is_generated_can_be_read() {
    let [one, other] = [generate(), generate()];
    assert_ne!(one.secret.expose_secret(), other.secret.expose_secret());
    assert!(Secret::parse(&one.secret).is_ok());
    assert!(Identities::parse(one.identity.expose_secret()).is_ok());
    assert!(Recipients::parse(&one.recipient).is_ok());
}

#[test]
fn no_secret_is_ever_printed() {
    let keys = generate();
    let secret = Secret::parse(&keys.secret).unwrap();
    let key = secret.dedupe_key(Uuid::from_u128(1), 1);
    let identities = Identities::parse(keys.identity.expose_secret()).unwrap();
    let printed = format!("{secret:?} {key:?} {identities:?} {keys:?}");
    for hidden in [
        keys.secret.expose_secret(),
        keys.identity.expose_secret(),
        &key.to_hex(),
    ] {
        assert!(!printed.contains(hidden));
    }
}
