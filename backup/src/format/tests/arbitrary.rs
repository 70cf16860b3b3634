//! Anything that a format may have to hold.

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    format::{
        Checksum, Computed, ComputedKind, How, Inventory, Ledger, Manifest, Piece, Previous,
        RowHash, Script, ScriptObject, SequenceState, ServerFacts, Snapshot, SnapshotName, Stored,
        TableData, TableRead, Totals, VERSION, Why,
    },
    hex,
    schema::{Exclusion, Extension, Name, Scope, Stage},
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,12}",
        any::<String>(),
        Just("tab\tnewline\nbackslash\\ return\r emoji🦀 \\N \\. \\t".to_owned()),
        Just("\\N".to_owned()),
        Just(String::new()),
    ]
}

fn hash() -> impl Strategy<Value = String> {
    any::<u64>().prop_map(|seed| hex::sha256(&seed.to_le_bytes()))
}

fn name() -> impl Strategy<Value = Name> {
    (text(), text()).prop_map(|(schema, name)| Name { schema, name })
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::App),
        Just(Scope::Attached),
        text().prop_map(Scope::Managed),
    ]
}

prop_compose! {
    fn piece(raw_len: u64)(
        name in (hash(), prop::option::of(any::<u32>())),
        rows in 0_u64..1000,
        raw_sha256 in hash(),
        first_key in text(),
        last_key in text(),
    ) -> Piece {
        let name = match name {
            (id, None) => id,
            (id, Some(fence)) => format!("{id}-{fence}"),
        };
        Piece { name, rows, raw_len, raw_sha256, first_key, last_key }
    }
}

prop_compose! {
    fn script(stage: Stage)(
        scope in scope(),
        piece in piece(0),
        objects in prop::collection::vec(
            (
                (text(), text(), prop::option::of(text())),
                (prop::option::of(name()), prop::option::of(name())),
                prop::collection::vec(0_usize..9, 0..3),
                0_u64..500,
            ),
            0..4,
        ),
    ) -> Script {
        let mut script = Script { stage, scope, piece, objects: Vec::new() };
        for ((kind, name, schema), (table, refers_to), needs, length) in objects {
            let offset = script.piece.raw_len;
            script.objects.push(ScriptObject {
                kind, name, table, refers_to, schema, needs, offset, length,
            });
            script.piece.raw_len += length;
        }
        script
    }
}

/// Leaves an object what comes before it.
fn in_order(mut scripts: Vec<Script>) -> Vec<Script> {
    let objects = scripts.iter_mut().flat_map(|script| &mut script.objects);
    for (place, object) in objects.enumerate() {
        object.needs.retain(|&needed| needed < place);
    }
    scripts
}

prop_compose! {
    fn table()(
        table in name(),
        scope in scope(),
        columns in prop::collection::vec((text(), text()), 0..4),
        order in prop::collection::vec(text(), 0..3),
        checksum in (any::<i128>(), any::<i128>()),
        read in prop::option::of(table_read()),
        pieces in prop::collection::vec(piece(10), 0..4),
    ) -> TableData {
        let (columns, types) = columns.into_iter().unzip();
        TableData {
            table,
            scope,
            columns,
            types,
            order,
            rows: pieces.iter().map(|piece| piece.rows).sum(),
            checksum: Checksum {
                first: checksum.0.to_string(),
                second: checksum.1.to_string(),
            },
            read,
            pieces,
        }
    }
}

prop_compose! {
    fn table_read()(
        why in prop::option::of(prop::sample::select(Why::ALL.to_vec())),
        ranges in any::<(u64, u64)>(),
        bytes_read in any::<u64>(),
        bytes_taken_over in any::<u64>(),
        checksum_ms in any::<u64>(),
    ) -> TableRead {
        let (ranges, ranges_read) = ranges;
        let changes = How::Changes { ranges, ranges_read };
        TableRead {
            how: why.map_or(changes, |why| How::Whole { why }),
            bytes_read,
            bytes_taken_over,
            checksum_ms,
        }
    }
}

prop_compose! {
    fn computed()(
        relation in name(),
        is_view in any::<bool>(),
        columns in prop::collection::vec(text(), 0..3),
        proof in prop::option::of((any::<u64>(), text(), text())),
    ) -> Computed {
        Computed {
            relation,
            kind: if is_view { ComputedKind::View } else { ComputedKind::Generated },
            columns,
            proof: proof.map(|(rows, first, second)| (rows, Checksum { first, second })),
        }
    }
}

prop_compose! {
    fn exclusion()(what in text(), why in text()) -> Exclusion {
        Exclusion { what, why }
    }
}

prop_compose! {
    pub(super) fn manifest()(
        head in (text(), any::<u128>(), 0_i64..4_000_000_000, any::<u32>(), hash(), text()),
        server in (any::<u32>(), text(), text(), text(), text(), text()),
        settings in prop::collection::vec((text(), text()), 0..3),
        extensions in prop::collection::vec((text(), text(), text()), 0..3),
        roles in prop::collection::vec(text(), 0..3),
        before in prop::collection::vec(script(Stage::Before), 0..3),
        after in prop::collection::vec(script(Stage::After), 0..3),
        tables in prop::collection::vec(table(), 0..4),
        sequences in prop::collection::vec(
            (name(), prop::option::of(name()), any::<i64>(), any::<bool>()),
            0..3,
        ),
        computed in prop::collection::vec(computed(), 0..3),
        migrations in prop::collection::vec((text(), text(), prop::option::of(hash())), 0..3),
        excluded in prop::collection::vec(exclusion(), 0..3),
        gaps in prop::collection::vec(exclusion(), 0..3),
        row_hash in prop::sample::select(vec![RowHash::Plain, RowHash::Mixed]),
    ) -> Manifest {
        let (snapshot, repo, seconds, epoch, dedupe_key, canary) = head;
        let (version_num, version, database, wal_lsn, server_snapshot, search_path) = server;
        Manifest {
            snapshot,
            repo: Uuid::from_u128(repo),
            taken_at: Timestamp::from_second(seconds).unwrap(),
            server: ServerFacts {
                version_num,
                version,
                database,
                wal_lsn,
                snapshot: server_snapshot,
                search_path,
            },
            settings,
            epoch,
            dedupe_key,
            canary,
            row_hash,
            extensions: extensions
                .into_iter()
                .map(|(name, schema, version)| Extension { name, schema, version })
                .collect(),
            roles,
            scripts: in_order(before.into_iter().chain(after).collect()),
            tables,
            sequences: sequences
                .into_iter()
                .map(|(sequence, table, last_value, is_called)| {
                    SequenceState { sequence, table, last_value, is_called }
                })
                .collect(),
            computed,
            migrations: migrations
                .into_iter()
                .map(|(version, name, sha256)| Ledger { version, name, sha256: sha256.unwrap_or_default() })
                .collect(),
            excluded,
            gaps,
        }
    }
}

prop_compose! {
    pub(super) fn snapshot()(
        seconds in (0_i64..4_000_000_000, 0_i64..4_000_000_000),
        ids in (any::<u128>(), any::<u128>(), any::<u64>(), any::<u32>()),
        stored in (text(), any::<u64>(), hash()),
        totals in any::<[u64; 8]>(),
        previous in prop::option::of(hash()),
        suspect in prop::option::of(text()),
    ) -> Snapshot {
        let taken_at = Timestamp::from_second(seconds.0).unwrap();
        let (path, len, sha256) = stored;
        let stored = Stored { path, len, sha256 };
        let [tables, rows, objects, raw_bytes, stored_bytes, new_objects, new_bytes, reused_raw_bytes] = totals;
        let name = SnapshotName::new(taken_at, ids.2, Uuid::from_u128(ids.1));
        Snapshot {
            format: VERSION,
            snapshot: name.clone(),
            taken_at,
            sealed_at: Timestamp::from_second(seconds.1).unwrap(),
            repo: Uuid::from_u128(ids.0),
            epoch: ids.3,
            manifest: stored.clone(),
            inventory: stored.clone(),
            tools: vec![stored],
            totals: Totals {
                tables, rows, objects, raw_bytes, stored_bytes, new_objects, new_bytes, reused_raw_bytes,
            },
            previous: previous.map(|sha256| Previous { snapshot: name, sha256 }),
            suspect,
            signature: String::new(),
            files: None,
        }
    }
}

prop_compose! {
    pub(super) fn inventory()(
        objects in prop::collection::vec((text(), any::<u64>(), hash()), 0..20),
    ) -> Inventory {
        Inventory {
            objects: objects
                .into_iter()
                .map(|(path, len, sha256)| Stored { path, len, sha256 })
                .collect(),
        }
    }
}
