mod arbitrary;

use proptest::prelude::*;
use uuid::Uuid;

use arbitrary::{inventory, manifest, snapshot};

use super::*;
use crate::{
    checksum::RowSums,
    hex,
    schema::{Exclusion, Extension, Name, Scope, Stage},
};

proptest! {
    #[test]
    fn a_manifest_is_read_as_it_was_written(manifest in manifest()) {
        let text = manifest.render().unwrap();
        prop_assert_eq!(Manifest::parse(&text).unwrap(), manifest);
    }

    #[test]
    fn an_inventory_is_read_as_it_was_written(inventory in inventory()) {
        prop_assert_eq!(Inventory::parse(&inventory.render()).unwrap(), inventory);
    }

    #[test]
    fn a_record_is_read_as_it_was_written(snapshot in snapshot()) {
        prop_assert_eq!(Snapshot::parse(&snapshot.render().unwrap()).unwrap(), snapshot);
    }

    #[test]
    fn a_cut_manifest_is_refused(manifest in manifest(), share in 0.0..1.0_f64) {
        let text = manifest.render().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "any place will do")]
        let length = (text.len() as f64 * share) as usize;
        prop_assert!(Manifest::parse(&text[..length]).is_err());
    }

    #[test]
    fn a_line_that_is_lost_or_moved_is_noticed(manifest in manifest(), lost in any::<prop::sample::Index>()) {
        let text = String::from_utf8(manifest.render().unwrap()).unwrap();
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        lines.remove(lost.index(lines.len()));
        prop_assert!(Manifest::parse(lines.concat().as_bytes()).is_err());
    }

    #[test]
    fn what_can_be_read_is_what_would_be_written(
        manifest in manifest(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut text = manifest.render().unwrap();
        let place = place.index(text.len());
        text[place] = byte;
        if let Ok(read) = Manifest::parse(&text) {
            prop_assert_eq!(read.render().unwrap(), text);
        }
    }

    #[test]
    fn garbage_is_an_error(garbage in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Manifest::parse(&garbage).is_err());
        prop_assert!(Inventory::parse(&garbage).is_err());
        prop_assert!(Snapshot::parse(&garbage).is_err());
        prop_assert!(Repo::parse(&garbage).is_err());
    }

    #[test]
    fn a_flipped_bit_never_makes_another_record(
        snapshot in snapshot(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut text = snapshot.render().unwrap();
        let place = place.index(text.len());
        text[place] ^= 1 << bit;
        if let Ok(read) = Snapshot::parse(&text) {
            prop_assert_eq!(read, snapshot);
        }
    }
}

fn example() -> Manifest {
    let hash = hex::sha256(b"piece");
    let piece = |raw_len, rows| Piece {
        name: hash.clone(),
        rows,
        raw_len,
        raw_sha256: hash.clone(),
        first_key: "1".into(),
        last_key: "a\\tb\tc".into(),
    };
    let name = |schema: &str, name: &str| Name {
        schema: schema.into(),
        name: name.into(),
    };
    Manifest {
        row_hash: RowHash::Mixed,
        snapshot: "20260102T030405Z-7-0badcafe".into(),
        repo: Uuid::from_u128(1),
        taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        server: ServerFacts {
            version_num: 150_018,
            version: "15.18 (Debian)".into(),
            database: "postgres".into(),
            wal_lsn: "0/1".into(),
            snapshot: "1:2:".into(),
            search_path: "public, extensions".into(),
        },
        settings: vec![("DateStyle".into(), "ISO".into())],
        epoch: 1,
        dedupe_key: hash.clone(),
        canary: "tweet".into(),
        extensions: vec![Extension {
            name: "pgcrypto".into(),
            schema: "extensions".into(),
            version: "1.3".into(),
        }],
        roles: vec!["reader".into()],
        scripts: vec![Script {
            stage: Stage::After,
            scope: Scope::Attached,
            piece: piece(12, 0),
            objects: vec![ScriptObject {
                kind: "foreign key".into(),
                name: "a_b_fkey".into(),
                table: Some(name("public", "a")),
                refers_to: Some(name("public", "new\nline")),
                schema: None,
                needs: Vec::new(),
                offset: 0,
                length: 12,
            }],
        }],
        tables: vec![TableData {
            table: name("auth", "users"),
            scope: Scope::Managed("auth".into()),
            columns: vec!["id".into()],
            types: vec!["uuid".into()],
            order: vec!["id".into()],
            rows: 3,
            checksum: Checksum {
                first: "-5".into(),
                second: "7".into(),
            },
            read: Some(TableRead {
                how: How::Whole { why: Why::Weekly },
                bytes_read: 99,
                bytes_taken_over: 0,
                checksum_ms: 1,
            }),
            pieces: vec![piece(99, 3)],
        }],
        sequences: vec![SequenceState {
            sequence: name("public", "a_id_seq"),
            table: Some(name("public", "a")),
            last_value: 77,
            is_called: true,
        }],
        computed: computed(),
        migrations: vec![Ledger {
            version: "1".into(),
            name: "init".into(),
            sha256: String::new(),
        }],
        excluded: vec![Exclusion {
            what: "vault.secrets".into(),
            why: "it is encrypted with a key of the platform".into(),
        }],
        gaps: vec![Exclusion {
            what: "base type public.box3".into(),
            why: "it is made of functions in C".into(),
        }],
    }
}

fn computed() -> Vec<Computed> {
    let name = |name: &str| Name {
        schema: "public".into(),
        name: name.into(),
    };
    vec![
        Computed {
            relation: name("posts"),
            kind: ComputedKind::Generated,
            columns: vec!["id".into(), "slug".into()],
            proof: Some((
                3,
                Checksum {
                    first: "1".into(),
                    second: "-2".into(),
                },
            )),
        },
        Computed {
            relation: name("totals"),
            kind: ComputedKind::View,
            columns: vec!["n".into()],
            proof: None,
        },
    ]
}

#[test]
fn a_manifest_reads_like_this() {
    let text = String::from_utf8(example().render().unwrap()).unwrap();
    let hash = hex::sha256(b"piece");
    insta::assert_snapshot!(text.replace(&hash, "<hash>").replace('\t', " | "), @r"
    pourtrait-manifest | 2
    snapshot | 20260102T030405Z-7-0badcafe
    repo | 00000000-0000-0000-0000-000000000001
    taken_at | 2026-01-02T03:04:05Z
    server | 150018 | 15.18 (Debian) | postgres | 0/1 | 1:2: | public, extensions
    epoch | 1
    dedupe_key | <hash>
    canary | tweet
    row_hash | mixed
    setting | DateStyle | ISO
    extension | pgcrypto | extensions | 1.3
    role | reader
    table | auth | users | managed:auth | 3 | -5 | 7
    column | id | uuid
    order | id
    read | whole | weekly | 0 | 0 | 99 | 0 | 1
    piece | <hash> | 3 | 99 | <hash> | 1 | a\\tb\tc
    sequence | public | a_id_seq | 77 | true | public | a
    script | after | attached
    piece | <hash> | 0 | 12 | <hash> | 1 | a\\tb\tc
    object | foreign key | a_b_fkey | public | a | public | new\nline | 0 | 12 | \N | 
    computed | generated | public | posts | 3 | 1 | -2
    proof | id
    proof | slug
    computed | view | public | totals | \N | \N | \N
    proof | n
    migration | 1 | init | \N
    excluded | vault.secrets | it is encrypted with a key of the platform
    gap | base type public.box3 | it is made of functions in C
    end | 30
    ");
}

#[test]
fn another_version_is_refused_by_its_number() {
    let text = String::from_utf8(example().render().unwrap()).unwrap();
    let newer = text.replacen("manifest\t2\n", "manifest\t3\n", 1);
    let refused = Manifest::parse(newer.as_bytes()).unwrap_err();
    assert_eq!(refused, FormatError::Version("3".into()));
    let refused = Inventory::parse(b"pourtrait-inventory\t1\n").unwrap_err();
    assert_eq!(refused, FormatError::Version("1".into()));
    let refused = Snapshot::parse(br#"{"format": 3, "new": "members"}"#).unwrap_err();
    assert_eq!(refused, FormatError::Version("3".into()));
    let refused = Repo::parse(br#"{"format": "1"}"#).unwrap_err();
    assert_eq!(refused, FormatError::Version("\"1\"".into()));
}

#[test]
fn broken_lines_are_named() {
    let check = |from: &str, to: &str, expected: &str| {
        let text = String::from_utf8(example().render().unwrap()).unwrap();
        assert!(text.contains(from), "{from:?}");
        let broken = text.replacen(from, to, 1);
        let error = Manifest::parse(broken.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, expected, "{from:?} became {to:?}");
    };
    check(
        "role\treader",
        "rule\treader",
        "line 12: an unknown kind of line, or one in the wrong place",
    );
    check(
        "role\treader",
        "role\treader\tx",
        "line 12: it has too few or too many fields",
    );
    check(
        "role\treader",
        "role",
        "line 12: it has too few or too many fields",
    );
    check("role\treader", "role\t\\N", "line 12: a field has no value");
    check(
        "role\treader",
        "role\t\\x",
        "line 12: a backslash is followed by none of \\, t and n",
    );
    check(
        "epoch\t1",
        "epoch\t+1",
        "line 6: a field is not a number, or one out of range",
    );
    check(
        "epoch\t1",
        "epoch\t4294967296",
        "line 6: a field is not a number, or one out of range",
    );
    check("managed:auth", "theirs", "line 13: an unknown scope");
    check(
        "\t77\ttrue",
        "\t77\tyes",
        "line 18: a field is neither true nor false",
    );
    check("end\t30", "end\t22", "line 30: lines are missing before it");
    check(
        "end\t30\n",
        "end\t30\nend\t31\n",
        "line 30: something follows it",
    );
    check(
        "read\twhole\tweekly",
        "read\twhole\tmonthly",
        "line 16: an unknown way of reading",
    );
    check(
        "read\twhole\tweekly",
        "read\tchanges\tweekly",
        "line 16: an unknown way of reading",
    );
}

#[test]
fn a_manifest_that_makes_no_sense_is_neither_written_nor_read() {
    let check = |change: &dyn Fn(&mut Manifest), expected: &str| {
        let mut manifest = example();
        change(&mut manifest);
        let error = manifest.render().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(
        &|manifest| manifest.tables[0].types.clear(),
        "columns without types",
    );
    check(
        &|manifest| manifest.tables[0].rows = 4,
        "do not hold its rows",
    );
    check(
        &|manifest| manifest.scripts[0].objects[0].offset = 1,
        "do not cover it",
    );
    check(
        &|manifest| manifest.scripts[0].piece.raw_len = 13,
        "do not cover it",
    );
    check(
        &|manifest| manifest.tables[0].pieces[0].name = "../x".into(),
        "not the name of a piece",
    );
    check(
        &|manifest| {
            let mut late = manifest.scripts[0].clone();
            late.stage = Stage::Before;
            manifest.scripts.push(late);
        },
        "before the rows follows",
    );
}

#[test]
fn a_backups_name_tells_its_time_and_place() {
    let taken_at = "2026-01-02T03:04:05.678Z".parse().unwrap();
    let name = SnapshotName::new(taken_at, 42, Uuid::from_u128(0x0bad_cafe << 96));
    assert_eq!(name.as_str(), "20260102T030405Z-42-0badcafe");
    let path = object_path::record(&name);
    assert_eq!(path, "v1/snap/2026/01/02/20260102T030405Z-42-0badcafe.json");
    assert_eq!(object_path::record_name(&path), Some(name));
    for other in [
        "v1/snap/2026/01/03/20260102T030405Z-42-0badcafe.json",
        "v1/snap/2026/01/02/20260102T030405Z-42-0badcafe.json.tmp",
        "v1/snap/2026/01/02/20260102T030405Z--0badcafe.json",
        "v1/snap/2026/01/02/20260102é30405Z-42-0badcafe.json",
        "README",
    ] {
        assert_eq!(object_path::record_name(other), None, "{other}");
    }
}

#[test]
fn a_piece_lies_below_the_first_digits_of_its_name() {
    let id = hex::sha256(b"x");
    let taken = format!("{id}-42");
    let path = object_path::segment(3, &taken);
    assert_eq!(path, format!("v1/seg/3/{}/{taken}.zst.age", &id[..2]));
    assert_eq!(object_path::segment_name(3, &path), Some(&*taken));
    assert_eq!(object_path::segment_name(4, &path), None);
    assert_eq!(object_path::id_of(&taken), id);
    let bytes = hex::sha256(b"sealed");
    let own = object_path::name_of(&id, &bytes);
    assert!(object_path::is_name(&own), "{own}");
    assert_eq!(object_path::id_of(&own), id);
    assert_ne!(
        own,
        object_path::name_of(&id, &hex::sha256(b"sealed again"))
    );
    assert!(object_path::is_name(&id) && object_path::is_name(&taken));
    for wrong in [
        "",
        "x",
        &id[1..],
        &format!("{id}-"),
        &format!("{id}-x"),
        "../../etc/passwd",
    ] {
        assert!(!object_path::is_name(wrong), "{wrong}");
    }
}

#[test]
fn what_is_known_of_rows_reads_as_it_was_written() {
    let table = |name: &str, pieces: Vec<KnownPiece>| KnownTable {
        table: Name {
            schema: "public".into(),
            name: name.into(),
        },
        read_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        spread: 2,
        rest: 3,
        columns: vec!["id".into(), "a\tb".into()],
        types: vec!["uuid".into(), "text".into()],
        order: vec!["id".into()],
        pieces,
    };
    let known = |number: u64| KnownPiece {
        piece: Piece {
            name: hex::sha256(b"piece"),
            rows: number,
            raw_len: 99,
            raw_sha256: hex::sha256(b"rows"),
            first_key: "a\\tb\t1".into(),
            last_key: String::new(),
        },
        sums: RowSums::of(format!("{number}\tx\n").as_bytes(), 2, RowHash::Mixed),
    };
    let all = KnownRows {
        version_num: 150_018,
        settings: vec![("DateStyle".into(), "ISO".into())],
        tables: vec![
            table("a", vec![known(1), known(2)]),
            table("new\nline", Vec::new()),
        ],
    };
    let text = all.render();
    assert_eq!(KnownRows::parse(&text).unwrap(), all);
    for cut in 0..text.len() {
        assert!(KnownRows::parse(&text[..cut]).is_err(), "{cut}");
    }
}
