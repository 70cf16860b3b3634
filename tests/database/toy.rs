//! A schema of a few lines, to put the migrator through what the real one must
//! never go through.

use ops::migrate::{File, FunctionSet, Schema, TableFile};

/// A set whose public function calls an inner one twice, with a trigger and a
/// type, all of them saying `word`.
pub(crate) fn schema(word: &str) -> Schema {
    Schema {
        release: "0.1.0".to_owned(),
        tables: vec![tables(
            "0001",
            "notes",
            "create table ops.notes (id integer primary key, body text, seen_by text);
             grant usage on schema ops to service_role;
             grant select, insert, update, delete on ops.notes to service_role;",
        )],
        set: FunctionSet {
            types: vec![file(
                "types.sql",
                "create type ops.pair as (one text, other text);",
            )],
            functions: vec![
                file("functions/sets.sql", &hold()),
                file("functions/words.sql", &words(word)),
                file("functions/notes.sql", &notes(word)),
            ],
            triggers: vec![file(
                "triggers.sql",
                "create or replace trigger see_note before insert on ops.notes
                 for each row execute function ops.see_note();",
            )],
            seeds: vec![file(
                "seeds/notes.sql",
                "insert into ops.notes (id, body) values (0, 'kept') on conflict do nothing;",
            )],
            grants: vec![file(
                "grants.sql",
                "revoke all on all functions in schema ops from public, anon, authenticated;
                 grant execute on all functions in schema ops to service_role;
                 revoke all on function public.ops_say from public, anon, authenticated;
                 grant execute on function public.ops_say to service_role;",
            )],
        },
    }
}

/// A table file.
pub(crate) fn tables(version: &str, name: &str, sql: &str) -> TableFile {
    TableFile {
        version: version.to_owned(),
        name: name.to_owned(),
        sql: sql.to_owned(),
    }
}

/// The same schema with a further file of functions.
pub(crate) fn with(schema: &Schema, functions: &str) -> Schema {
    let mut other = schema.clone();
    other
        .set
        .functions
        .push(file("functions/more.sql", functions));
    other
}

pub(crate) fn file(path: &str, sql: &str) -> File {
    File {
        path: path.to_owned(),
        sql: sql.to_owned(),
    }
}

/// The real function that every call begins with.
fn hold() -> String {
    let schema = Schema::embedded();
    let mut files = schema.set.functions.iter();
    files
        .find_map(|file| {
            let start = file
                .sql
                .find("create or replace function ops.hold_functions(")?;
            let end = start + file.sql[start..].find("$$;")? + 3;
            Some(file.sql[start..end].to_owned())
        })
        .expect("a definition of ops.hold_functions")
}

/// What a call says of the set that it ran in, from as many functions as there
/// are ways to bind one: called, called in an assignment, of a type, inlined.
fn words(word: &str) -> String {
    format!(
        "create or replace function ops.word()
returns text
language sql
immutable
set search_path = ''
as $$ select '{word}' $$;

create or replace function ops.inlined_word()
returns text
language sql
immutable
as $$ select '{word}' $$;

create or replace function ops.pair_of(p_one text)
returns ops.pair
language plpgsql
set search_path = ''
as $$
declare
    v_pair ops.pair;
begin
    v_pair.one := p_one;
    v_pair.other := '{word}';
    return v_pair;
end
$$;
"
    )
}

fn notes(word: &str) -> String {
    format!(
        "create or replace function ops.see_note()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.seen_by := '{word}';
    return new;
end
$$;

create or replace function public.ops_say(p_id integer)
returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_pair jsonb;
    v_seen text;
begin
    perform ops.hold_functions();
    insert into ops.notes (id, body) values (p_id, ops.word()) returning seen_by into v_seen;
    v_pair := to_jsonb(ops.pair_of(ops.word()));
    return jsonb_build_array('{word}', v_seen, v_pair -> 'one', v_pair -> 'other', ops.inlined_word());
end
$$;
"
    )
}
