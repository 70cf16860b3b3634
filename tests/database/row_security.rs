//! Every pair of a role and a table that `ops::access` lists is tried. A table that is missing
//! there fails the test.

use std::collections::BTreeMap;

use ops::access::tables::{APP_TABLES, Caller, Rows, Server, TABLES};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{World, array};

const ANNA: &str = "00000000-0000-4000-8000-00000000000a";

/// A session as the project's API makes it for a caller.
async fn session(world: &World, caller: Caller) -> Client {
    let signed_in =
        |metadata: Value| json!({"role": "authenticated", "sub": ANNA, "app_metadata": metadata});
    let (role, claims) = match caller {
        Caller::Anonymous => ("anon", json!({"role": "anon"})),
        Caller::Server => ("service_role", json!({"role": "service_role"})),
        Caller::User => ("authenticated", signed_in(json!({}))),
        Caller::Viewer | Caller::Responder | Caller::Admin => {
            let metadata = json!({"role": caller.as_str()});
            ("authenticated", signed_in(metadata))
        }
    };
    let client = world.session().await;
    let sql = format!(
        "set session authorization authenticator; set role {role};
         select set_config('request.jwt.claims', '{claims}', false)"
    );
    client.batch_execute(&sql).await.unwrap();
    client
}

/// Which of reading, inserting, updating and deleting the server lets a caller do with a
/// table, by trying: `siud`, with a dash for each that is refused. Nothing is changed.
async fn may(client: &Client, table: &str, column: &str) -> String {
    let mut done = String::new();
    for (letter, statement) in [
        ('s', format!("select * from {table}")),
        ('i', format!("insert into {table} default values")),
        ('u', format!("update {table} set {column} = {column}")),
        ('d', format!("delete from {table}")),
    ] {
        // It is planned and its permissions are looked at; it does not run.
        let planned = client.batch_execute(&format!("explain {statement}")).await;
        done.push(verdict(letter, &statement, planned));
    }
    done
}

/// The same of emptying it.
async fn may_truncate(client: &Client, table: &str) -> char {
    let statement = format!("truncate {table} cascade");
    let truncated = client.batch_execute(&format!("begin; {statement}")).await;
    client.batch_execute("rollback").await.unwrap();
    verdict('t', &statement, truncated)
}

fn verdict(letter: char, statement: &str, tried: Result<(), tokio_postgres::Error>) -> char {
    match tried {
        Ok(()) => letter,
        Err(error) => {
            let code = error.code().expect("the server's word").code();
            assert_eq!(code, "42501", "{statement}: {error:?}");
            '-'
        }
    }
}

/// The tables of a schema by name: whose partition each is, or its own name, and a column that
/// may be written.
async fn tables(world: &World, schema: &str) -> BTreeMap<String, [String; 2]> {
    let rows = world
        .rows(&format!(
            "select c.relname as name, coalesce(max(p.relname), c.relname) as whole, min(a.attname) as column
             from pg_class as c
             join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and a.attidentity = '' and a.attgenerated = ''
             left join pg_inherits as i on i.inhrelid = c.oid
             left join pg_class as p on p.oid = i.inhparent
             where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')
             group by c.relname"
        ))
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = array(&rows).iter();
    rows.map(|row| {
        (
            text(&row["name"]),
            [text(&row["whole"]), text(&row["column"])],
        )
    })
    .collect()
}

#[tokio::test]
async fn every_table_of_ours_is_the_servers_alone() {
    let world = World::migrated().await;
    world
        .execute("select ops.open_item_days('2026-11-24T12:00:00Z')")
        .await;
    let there = tables(&world, "ops").await;
    let listed: BTreeMap<&str, Server> = TABLES.iter().copied().collect();
    assert_eq!(listed.len(), TABLES.len(), "a table is listed twice");
    let whole: Vec<&str> = there
        .iter()
        .filter(|(name, [whole, _])| *name == whole)
        .map(|(name, _)| name.as_str())
        .collect();
    let names: Vec<&str> = listed.keys().copied().collect();
    assert_eq!(names, whole, "the tables that there are");
    assert!(there.len() > whole.len(), "no partition is looked at");
    for caller in Caller::ALL {
        let client = session(&world, caller).await;
        for (table, [whole, column]) in &there {
            let name = format!("ops.{table}");
            let mut done = may(&client, &name, column).await;
            done.push(may_truncate(&client, &name).await);
            let expected = caller.may(listed[whole.as_str()]);
            assert_eq!(done, expected, "{}: {table}", caller.as_str());
        }
        let version = client
            .batch_execute("select version from ops.migrations")
            .await;
        assert_eq!(
            version.is_ok(),
            caller == Caller::Server,
            "{}",
            caller.as_str()
        );
    }
}

#[tokio::test]
async fn every_table_of_the_app_is_written_by_the_server_alone_and_read_by_its_owner_and_admins() {
    let world = World::of_the_app().await;
    world.migrate().await;
    let there = tables(&world, "public").await;
    let count = async |client: &Client, sql: &str| -> i64 {
        client.query_one(sql, &[]).await.unwrap().get(0)
    };
    for caller in Caller::ALL {
        let client = session(&world, caller).await;
        for table in APP_TABLES {
            let [_, column] = &there[table];
            let done = may(&client, &format!("public.{table}"), column).await;
            assert_eq!(done, caller.may_in_app(), "{}: {table}", caller.as_str());
            let all = format!("select count(*) from public.{table}");
            // Rows of nobody are in a table that names a user; without such a column a row is
            // nobody's as well.
            let own = format!(
                "select count(*) from public.{table} as t where to_jsonb(t) ->> 'user_id' = '{ANNA}'"
            );
            let expected = match caller.rows() {
                Rows::Refused => continue,
                Rows::Own => count(&world.admin, &own).await,
                Rows::All => count(&world.admin, &all).await,
            };
            let seen = count(&client, &all).await;
            assert_eq!(seen, expected, "{}: {table}", caller.as_str());
        }
    }
}

/// What the two tables say of people is what roles are given.
#[test]
fn a_role_reads_every_row_if_it_has_the_permission() {
    use ops::auth::roles::{Permission, Role};
    for (role, caller) in Role::ALL.into_iter().zip(&Caller::ALL[2..5]) {
        assert_eq!(role.as_str(), caller.as_str());
        let reads_all = role.may(Permission::ReadRows);
        assert_eq!(caller.rows() == Rows::All, reads_all, "{}", role.as_str());
    }
}
