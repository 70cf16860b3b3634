//! Every pair of a role and a table that `ops::access` lists is tried. A table that is missing
//! there fails the test.

use std::collections::BTreeMap;

use ops::access::tables::{APP_TABLES, Caller, Rows, Server, TABLES};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::{
    migrations::APP_TABLES,
    support::{World, array},
};

/// What the server's key may do with a table. Nobody else may do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// Read and write.
    Whole,
    /// Read.
    Reads,
    /// Read one column, to tell whether there is something new.
    OneColumn,
}
/// The tables of schema ops.
const TABLES: [(&str, Server); 113] = [
    ("absences", Server::Whole),
    ("alert_events", Server::Whole),
    ("alert_states", Server::Whole),
    ("alerts", Server::Whole),
    ("answered_calls", Server::Whole),
    ("application_archives", Server::Whole),
    ("backup_canary", Server::Whole),
    ("backup_drills", Server::Whole),
    ("backup_verifications", Server::Whole),
    ("backups", Server::Whole),
    ("blind_spans", Server::Whole),
    ("calendar_entries", Server::Whole),
    ("calendars", Server::Whole),
    ("channel_kinds", Server::Whole),
    ("channel_proofs", Server::Whole),
    ("channels", Server::Whole),
    ("check_changes", Server::Whole),
    ("check_runs", Server::Whole),
    ("checks", Server::Whole),
    ("clocks", Server::Whole),
    ("component_changes", Server::Whole),
    ("components", Server::Whole),
    ("contact_roles", Server::Whole),
    ("consents", Server::Whole),
    ("contacts", Server::Whole),
    ("counted_tables", Server::Whole),
    ("custom_checks", Server::Whole),
    ("daily_people", Server::Whole),
    ("daily_visitors", Server::Whole),
    ("database_readings", Server::Whole),
    ("database_sizes", Server::Whole),
    ("deliveries", Server::Whole),
    ("dependencies", Server::Whole),
    ("deployment_comparisons", Server::Whole),
    ("deployments", Server::Whole),
    ("door_counts", Server::Whole),
    ("door_drops", Server::Whole),
    ("door_keys", Server::Whole),
    ("door_sessions", Server::Whole),
    ("door_totals", Server::Whole),
    ("erasures", Server::Whole),
    ("error_groups", Server::Whole),
    ("escalations", Server::Whole),
    ("exercises", Server::Whole),
    ("facts", Server::Whole),
    ("feedback", Server::Whole),
    ("figure_sources", Server::Whole),
    ("figures", Server::Whole),
    ("forgotten_rows", Server::Whole),
    ("function_sets", Server::Reads),
    ("funnel_changes", Server::Whole),
    ("funnel_results", Server::Whole),
    ("funnels", Server::Whole),
    ("heartbeat_runs", Server::Whole),
    ("heartbeats", Server::Whole),
    ("incident_events", Server::Whole),
    ("incident_users", Server::Whole),
    ("incidents", Server::Whole),
    ("issue_hours", Server::Whole),
    ("issue_people", Server::Whole),
    ("issues", Server::Whole),
    ("items", Server::Whole),
    ("items_20261123", Server::Whole),
    ("items_20261124", Server::Whole),
    ("jobs", Server::Whole),
    ("kept_tables", Server::Whole),
    ("maintenance_windows", Server::Whole),
    ("migrations", Server::OneColumn),
    ("monitors", Server::Whole),
    ("noticed_events", Server::Whole),
    ("oncall_overrides", Server::Whole),
    ("outbox", Server::Whole),
    ("outdated_lists", Server::Whole),
    ("own_reports", Server::Whole),
    ("pending_figures", Server::Whole),
    ("people", Server::Whole),
    ("platform_readings", Server::Whole),
    ("platform_watches", Server::Whole),
    ("privacy_requests", Server::Whole),
    ("push_devices", Server::Whole),
    ("releases", Server::Whole),
    ("reports", Server::Whole),
    ("request_hours", Server::Whole),
    ("resource_days", Server::Whole),
    ("resource_readings", Server::Whole),
    ("restores", Server::Whole),
    ("role_permissions", Server::Whole),
    ("rotation_layers", Server::Whole),
    ("rotation_members", Server::Whole),
    ("rotations", Server::Whole),
    ("rules", Server::Whole),
    ("runs", Server::Whole),
    ("samples", Server::Whole),
    ("scheduler", Server::Whole),
    ("scheduler_calls", Server::Whole),
    ("served_deployments", Server::Whole),
    ("setting_changes", Server::Whole),
    ("settings", Server::Whole),
    ("sign_in_tries", Server::Whole),
    ("silences", Server::Whole),
    ("source_map_parts", Server::Whole),
    ("source_maps", Server::Whole),
    ("status_copies", Server::Whole),
    ("subscriber_messages", Server::Whole),
    ("subscribers", Server::Whole),
    ("subscription_requests", Server::Whole),
    ("uncounted_rows", Server::Whole),
    ("uptime_days", Server::Whole),
    ("uptime_rollups", Server::Whole),
    ("uptime_spans", Server::Whole),
    ("visitor_keys", Server::Whole),
    ("visits", Server::Whole),
    ("web_vitals", Server::Whole),
];
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
