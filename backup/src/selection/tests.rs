use jiff::Timestamp;
use uuid::Uuid;

use crate::format::{Checksum, Piece, RowHash, ServerFacts};

use super::*;

fn name(text: &str) -> Name {
    let (schema, name) = text.split_once('.').unwrap();
    Name {
        schema: schema.into(),
        name: name.into(),
    }
}

/// An object of a kind and a name, of a table, that needs others by their places.
fn object(described: &str, table: Option<&str>, needs: &[usize]) -> ScriptObject {
    let kinds = [
        "foreign key",
        "schema grants",
        "row security",
        "sequence owner",
        "table",
        "type",
        "view",
        "policy",
        "function",
        "grants",
        "owner",
        "role",
        "schema",
        "partition",
        "sequence",
        "index",
        "extension",
        "trigger",
    ];
    let mut kinds = kinds.iter();
    let kind = kinds.find(|kind| described.starts_with(*kind)).unwrap();
    let called = &described[kind.len() + 1..];
    let schema = match called.split_once('.') {
        Some((schema, _)) if !["grants", "owner"].contains(kind) => Some(schema.to_owned()),
        _ => None,
    };
    ScriptObject {
        kind: (*kind).into(),
        name: called.into(),
        table: table.map(name),
        refers_to: None,
        schema,
        needs: needs.to_vec(),
        offset: 0,
        length: 0,
    }
}

fn table_data(table: &str) -> TableData {
    TableData {
        table: name(table),
        scope: Scope::App,
        columns: Vec::new(),
        types: Vec::new(),
        order: Vec::new(),
        rows: 0,
        checksum: Checksum {
            first: "0".into(),
            second: "0".into(),
        },
        read: None,
        pieces: Vec::new(),
    }
}

/// A shop: wines in regions and cellars by year, with what belongs to them.
fn shop() -> Manifest {
    let mut key = object(
        "foreign key app.wines wines_region_fkey",
        Some("app.wines"),
        &[5, 6],
    );
    key.refers_to = Some(name("app.regions"));
    let objects = vec![
        object("role clerk", None, &[]),
        object("schema app", None, &[]),
        object("type app.color", None, &[1]),
        object("owner type app.color", None, &[0, 2]),
        object("function app.price(integer)", None, &[1]),
        object("table app.wines", Some("app.wines"), &[1, 2, 4]),
        object("table app.regions", Some("app.regions"), &[1]),
        object("table app.cellars", Some("app.cellars"), &[1]),
        object("table app.cellars_2026", Some("app.cellars_2026"), &[1]),
        object(
            "partition app.cellars_2026",
            Some("app.cellars_2026"),
            &[7, 8],
        ),
        object("sequence app.wines_id_seq", None, &[1]),
        object(
            "sequence owner app.wines_id_seq",
            Some("app.wines"),
            &[5, 10],
        ),
        object("view app.best", Some("app.best"), &[5, 6]),
        object("policy app.wines mine", Some("app.wines"), &[5, 6]),
        object("index app.wine_name", Some("app.wines"), &[5]),
        object("row security app.wines", Some("app.wines"), &[5]),
        object("grants table app.wines", Some("app.wines"), &[0, 5]),
        object("grants function app.price(integer)", None, &[0, 4]),
        key,
    ];
    let script = |stage, objects| Script {
        stage,
        scope: Scope::App,
        piece: Piece {
            name: String::new(),
            rows: 0,
            raw_len: 0,
            raw_sha256: String::new(),
            first_key: String::new(),
            last_key: String::new(),
        },
        objects,
    };
    Manifest {
        row_hash: RowHash::Mixed,
        snapshot: String::new(),
        repo: Uuid::nil(),
        taken_at: Timestamp::UNIX_EPOCH,
        server: ServerFacts {
            version_num: 150_000,
            version: String::new(),
            database: String::new(),
            wal_lsn: String::new(),
            snapshot: String::new(),
            search_path: String::new(),
        },
        settings: Vec::new(),
        epoch: 1,
        dedupe_key: String::new(),
        canary: String::new(),
        extensions: Vec::new(),
        roles: Vec::new(),
        scripts: vec![
            script(Stage::Before, objects[..12].to_vec()),
            script(Stage::After, objects[12..].to_vec()),
        ],
        tables: ["app.cellars_2026", "app.regions", "app.wines"]
            .map(table_data)
            .into(),
        computed: Vec::new(),
        sequences: vec![
            SequenceState {
                sequence: name("app.regions_id_seq"),
                table: Some(name("app.regions")),
                last_value: 1,
                is_called: true,
            },
            SequenceState {
                sequence: name("app.wines_id_seq"),
                table: Some(name("app.wines")),
                last_value: 1,
                is_called: true,
            },
        ],
        migrations: Vec::new(),
        excluded: Vec::new(),
        gaps: Vec::new(),
    }
}

/// What is made of the shop, what is filled, and what stays behind, as words.
fn chosen(selection: &Selection) -> (Vec<String>, Vec<String>, Vec<String>) {
    let manifest = shop();
    let chosen = Chosen::of(&manifest, selection).unwrap();
    let objects = chosen.all_scripts().flat_map(|chosen| chosen.objects);
    let tables = chosen.tables.iter().map(|data| data.table.name.clone());
    let sequences = chosen
        .sequences
        .iter()
        .map(|state| state.sequence.name.clone());
    let left = chosen.left_out.iter();
    (
        objects.map(ScriptObject::described).collect(),
        tables.chain(sequences).collect(),
        left.map(|left| format!("{}: {}", left.what, left.why))
            .collect(),
    )
}

fn tables(names: &[&str]) -> Vec<Name> {
    names.iter().map(|table| name(table)).collect()
}

#[test]
fn a_table_comes_with_what_it_needs_and_nothing_else() {
    let (objects, filled, left) = chosen(&Selection {
        tables: tables(&["app.wines"]),
        ..Selection::default()
    });
    assert_eq!(
        objects,
        [
            "role clerk",
            "schema app",
            "type app.color",
            "owner type app.color",
            "function app.price(integer)",
            "table app.wines",
            "sequence app.wines_id_seq",
            "sequence owner app.wines_id_seq",
            "index app.wine_name",
            "row security app.wines",
            "grants table app.wines",
            "grants function app.price(integer)",
        ]
    );
    assert_eq!(filled, ["wines", "wines_id_seq"]);
    assert_eq!(
        left,
        [
            "policy app.wines mine: it needs table app.regions, which was not chosen",
            "foreign key app.wines wines_region_fkey: it needs table app.regions, which was not chosen",
        ]
    );
}

#[test]
fn a_partitioned_table_brings_its_partitions() {
    let (objects, filled, left) = chosen(&Selection {
        tables: tables(&["app.cellars"]),
        ..Selection::default()
    });
    assert_eq!(
        objects,
        [
            "schema app",
            "table app.cellars",
            "table app.cellars_2026",
            "partition app.cellars_2026"
        ]
    );
    assert_eq!(filled, ["cellars_2026"]);
    assert_eq!(left, <[&str; 0]>::default());
}

#[test]
fn what_needs_something_left_out_is_left_out_and_told() {
    let all = chosen(&Selection::default()).0;
    let without = |gone: &[&str]| -> Vec<String> {
        let kept = all.iter().filter(|object| !gone.contains(&object.as_str()));
        kept.cloned().collect()
    };
    let (objects, filled, left) = chosen(&Selection {
        exclude_tables: tables(&["app.wines"]),
        ..Selection::default()
    });
    assert_eq!(
        objects,
        without(&[
            "table app.wines",
            "sequence app.wines_id_seq",
            "sequence owner app.wines_id_seq",
            "view app.best",
            "policy app.wines mine",
            "index app.wine_name",
            "row security app.wines",
            "grants table app.wines",
            "foreign key app.wines wines_region_fkey",
        ])
    );
    assert_eq!(filled, ["cellars_2026", "regions", "regions_id_seq"]);
    assert_eq!(
        left,
        ["view app.best: it needs table app.wines, which was not chosen"]
    );

    let (objects, filled, left) = chosen(&Selection {
        skip: vec!["index app.wine_name".into()],
        ..Selection::default()
    });
    assert_eq!(objects, without(&["index app.wine_name"]));
    assert_eq!((filled.len(), left.len()), (5, 0));
}

#[test]
fn without_owners_and_privileges_no_role_is_made_for_nothing() {
    let (objects, ..) = chosen(&Selection {
        without_owners: true,
        without_privileges: true,
        ..Selection::default()
    });
    let of_roles = |object: &&String| {
        let mut kinds = ["role", "owner", "grants"].iter();
        kinds.any(|kind| object.starts_with(kind))
    };
    assert_eq!(objects.iter().find(of_roles), None);
    assert_eq!(objects.len(), 15);
}

#[test]
fn objects_and_rows_can_be_chosen_apart() {
    let parts = |parts| {
        chosen(&Selection {
            parts,
            tables: tables(&["app.regions"]),
            ..Selection::default()
        })
    };
    let (objects, filled, _) = parts(Parts::Schema);
    assert_eq!((objects.len(), filled.len()), (2, 0));
    let (objects, filled, left) = parts(Parts::Data);
    assert_eq!((objects.len(), left.len()), (0, 0));
    assert_eq!(filled, ["regions", "regions_id_seq"]);
}

#[test]
fn an_unknown_name_is_refused_with_those_like_it() {
    let manifest = shop();
    let refused = |selection: Selection| Chosen::of(&manifest, &selection).unwrap_err().to_string();
    for (selection, words) in [
        (
            Selection {
                tables: tables(&["app.wine"]),
                ..Selection::default()
            },
            "the backup has no table app.wine; it has app.wines",
        ),
        (
            Selection {
                skip: vec!["index app.wines_name".into()],
                ..Selection::default()
            },
            "the backup has no object index app.wines_name; it has index app.wine_name",
        ),
        (
            Selection {
                schemas: vec!["shop".into()],
                ..Selection::default()
            },
            "the backup has no schema shop",
        ),
    ] {
        assert!(refused(selection).starts_with(words), "{words}");
    }
}

#[test]
fn rows_of_some_tables_are_filled_into_a_schema_that_is_whole() {
    let shop = shop();
    let everything = Chosen::of(&shop, &Selection::default()).unwrap();
    for (rows_of, tables, left_out) in [
        (vec!["app.regions"], vec!["app.regions"], 0),
        (vec!["app.wines"], vec!["app.wines"], 1),
        (
            vec!["app.wines", "app.regions"],
            vec!["app.wines", "app.regions"],
            0,
        ),
        (vec![], vec![], 0),
    ] {
        let selection = Selection {
            rows_of: Some(rows_of.iter().map(|table| name(table)).collect()),
            ..Selection::default()
        };
        let chosen = Chosen::of(&shop, &selection).unwrap();
        let mut filled: Vec<_> = chosen
            .tables
            .iter()
            .map(|data| plain(&data.table))
            .collect();
        let mut expected: Vec<_> = tables.iter().map(|table| (*table).to_owned()).collect();
        filled.sort();
        expected.sort();
        assert_eq!(filled, expected);
        assert_eq!(chosen.left_out.len(), left_out, "{rows_of:?}");
        assert_eq!(chosen.objects.len() + left_out, everything.objects.len());
        assert_eq!(chosen.unfilled, [], "{rows_of:?}");
        assert!(!chosen.whole);
    }
}
