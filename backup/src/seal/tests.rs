use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use local_supabase::machine::{self, Tool};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::keys::{self, Keys};

const LIMIT: u64 = 1024 * 1024;

struct Pair {
    keys: Keys,
    recipients: Recipients,
    identities: Identities,
}

fn pair() -> Pair {
    let keys = keys::generate();
    Pair {
        recipients: Recipients::parse(&keys.recipient).unwrap(),
        identities: Identities::parse(keys.identity.expose_secret()).unwrap(),
        keys,
    }
}

#[test]
fn any_recipient_opens_what_was_sealed_to_several() {
    let [one, other] = [pair(), pair()];
    let both = format!("{} {}", one.keys.recipient, other.keys.recipient);
    let sealed = seal(b"rows\n", &Recipients::parse(&both).unwrap()).unwrap();
    for pair in [one, other] {
        assert_eq!(open(&sealed, &pair.identities, LIMIT).unwrap(), b"rows\n");
    }
}

#[test]
fn a_stranger_opens_nothing() {
    let sealed = seal(b"rows\n", &pair().recipients).unwrap();
    let opened = open(&sealed, &pair().identities, LIMIT);
    assert!(matches!(opened, Err(SealError::WrongKey)), "{opened:?}");
}

#[test]
fn one_plaintext_is_never_sealed_twice_alike() {
    let Pair { recipients, .. } = pair();
    assert_ne!(
        seal(b"x", &recipients).unwrap(),
        seal(b"x", &recipients).unwrap()
    );
}

#[test]
fn whatever_is_cut_off_or_flipped_is_noticed() {
    let Pair {
        recipients,
        identities,
        ..
    } = pair();
    let plaintext: Vec<u8> = (0..1000_u32).flat_map(u32::to_le_bytes).collect();
    let sealed = seal(&plaintext, &recipients).unwrap();
    for length in 0..sealed.len() {
        assert!(
            open(&sealed[..length], &identities, LIMIT).is_err(),
            "{length} bytes"
        );
    }
    for index in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[index] ^= 1 << (index % 8);
        assert!(open(&flipped, &identities, LIMIT).is_err(), "byte {index}");
    }
    assert!(open(&[&sealed[..], b"x"].concat(), &identities, LIMIT).is_err());
}

#[test]
fn a_bomb_goes_no_further_than_the_limit() {
    let Pair {
        recipients,
        identities,
        ..
    } = pair();
    let sealed = seal(&vec![0; 50_000_000], &recipients).unwrap();
    assert!(sealed.len() < 10_000, "{}", sealed.len());
    let opened = open(&sealed, &identities, 1000);
    assert!(matches!(opened, Err(SealError::TooLarge(1000))));
    let long = seal(&keys_text(100), &recipients).unwrap();
    assert!(matches!(
        open(&long, &identities, 10),
        Err(SealError::TooLarge(10))
    ));
}

#[test]
fn plaintext_may_be_exactly_as_long_as_the_limit() {
    let Pair {
        recipients,
        identities,
        ..
    } = pair();
    let plaintext = keys_text(1000);
    let length = plaintext.len() as u64;
    let sealed = seal(&plaintext, &recipients).unwrap();
    assert_eq!(open(&sealed, &identities, length).unwrap(), plaintext);
    assert!(open(&sealed, &identities, length - 1).is_err());
}

#[test]
fn only_one_whole_frame_is_decompressed() {
    let frame = compress(b"one").unwrap();
    assert_eq!(decompress(&frame, LIMIT).unwrap(), b"one");
    for wrong in [
        &b""[..],
        b"one",
        &frame[..frame.len() - 1],
        &[&frame[..], &frame].concat(),
    ] {
        assert!(matches!(
            decompress(wrong, LIMIT),
            Err(SealError::Uncompressed)
        ));
    }
}

#[test]
fn nothing_is_sealed_and_opened_too() {
    let Pair {
        recipients,
        identities,
        ..
    } = pair();
    assert_eq!(
        open(&seal(b"", &recipients).unwrap(), &identities, 0).unwrap(),
        b""
    );
}

#[test]
fn the_stock_programs_open_what_is_sealed_here() {
    machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
    let Pair {
        keys, recipients, ..
    } = pair();
    let plaintext = keys_text(10_000);
    let sealed = seal(&plaintext, &recipients).unwrap();
    let key = File::holding(keys.identity.expose_secret().as_bytes());
    let compressed = run(Command::new("age").arg("-d").arg("-i").arg(&key.0), &sealed);
    let tested = run(Command::new("zstd").args(["-d", "-q", "-c"]), &compressed);
    assert_eq!(tested, plaintext);
    // Content size and checksum are what `zstd -lv` shows of a frame.
    let frame = File::holding(&compressed);
    let listed = run(Command::new("zstd").arg("-lv").arg(&frame.0), b"");
    let listed = String::from_utf8(listed).unwrap();
    assert!(listed.contains("Check: XXH64"), "{listed}");
    assert!(
        listed.contains(&format!("({} B)", plaintext.len())),
        "{listed}"
    );
}

#[test]
fn what_the_stock_programs_seal_is_opened_here() {
    machine::bring(&[Tool::Age, Tool::Zstd]).unwrap();
    let Pair {
        keys, identities, ..
    } = pair();
    let compressed = run(Command::new("zstd").args(["-q", "-c"]), b"rows\n");
    let sealed = run(
        Command::new("age").args(["-r", &keys.recipient]),
        &compressed,
    );
    assert_eq!(open(&sealed, &identities, LIMIT).unwrap(), b"rows\n");
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(plaintext in prop::collection::vec(any::<u8>(), 0..5000)) {
        let Pair { recipients, identities, .. } = pair();
        let sealed = seal(&plaintext, &recipients).unwrap();
        prop_assert_eq!(open(&sealed, &identities, plaintext.len() as u64).unwrap(), plaintext);
    }

    #[test]
    fn garbage_is_never_opened(garbage in prop::collection::vec(any::<u8>(), 0..500)) {
        prop_assert!(open(&garbage, &pair().identities, LIMIT).is_err());
        prop_assert!(decompress(&garbage, LIMIT).is_err());
    }
}

/// Text that hardly compresses.
fn keys_text(count: u128) -> Vec<u8> {
    (0..count)
        .flat_map(|seed| crate::hex::sha256(&seed.to_le_bytes()).into_bytes())
        .collect()
}

/// A file of its own for a program that reads no pipe.
struct File(PathBuf);

impl File {
    fn holding(bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("seal-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{error}: install {} to run this test (apt-get install age zstd)",
                program.display()
            )
        });
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread, for the program may answer before it has read everything.
    let writing = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", program.display());
    output.stdout
}
