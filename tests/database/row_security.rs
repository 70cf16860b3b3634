//! Every table by name, and what each role may do with it: read, insert, update, delete. A
//! table that is missing here fails the test.

use std::collections::BTreeMap;

use ops::auth::roles::{Permission, Role};
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
const TABLES: [(&str, Server); 108] = [
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
    ("function_sets", Server::Reads),
    ("funnel_changes", Server::Whole),
    ("funnel_results", Server::Whole),
    ("funnels", Server::Whole),
    ("heartbeat_runs", Server::Whole),
    ("heartbeats", Server::Whole),
    ("incident_events", Server::Whole),
    ("incidents", Server::Whole),
    ("issue_hours", Server::Whole),
    ("issue_people", Server::Whole),
    ("issues", Server::Whole),
    ("items", Server::Whole),
    ("items_20261123", Server::Whole),
    ("items_20261124", Server::Whole),
    ("jobs", Server::Whole),
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

const ANNA: &str = "00000000-0000-4000-8000-00000000000a";

/// Who calls, as PostgREST makes them: the name of a case, the role, and what its token says.
fn callers() -> Vec<(&'static str, &'static str, Value)> {
    let signed_in =
        |metadata: Value| json!({"role": "authenticated", "sub": ANNA, "app_metadata": metadata});
    let people = Role::ALL.map(|role| {
        let claims = signed_in(json!({ "role": role }));
        (role.as_str(), "authenticated", claims)
    });
    let others = [
        ("anon", "anon", json!({"role": "anon"})),
        ("user", "authenticated", signed_in(json!({}))),
        ("server", "service_role", json!({"role": "service_role"})),
    ];
    others.into_iter().chain(people).collect()
}

async fn caller(world: &World, role: &str, claims: &Value) -> Client {
    let client = world.session().await;
    let sql = format!(
        "set session authorization authenticator; set role {role};
         select set_config('request.jwt.claims', '{claims}', false)"
    );
    client.batch_execute(&sql).await.unwrap();
    client
}

/// Which of reading, inserting, updating and deleting the server lets a caller do with a
/// table, by trying: `srid`, with a dash for each that is refused. Nothing is changed.
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
        match planned {
            Ok(()) => done.push(letter),
            Err(error) => {
                let code = error.code().expect("the server's word").code();
                assert_eq!(code, "42501", "{statement}: {error:?}");
                done.push('-');
            }
        }
    }
    done
}

/// A column of each table that may be written, by name.
async fn columns(world: &World, schema: &str) -> BTreeMap<String, String> {
    let rows = world
        .rows(&format!(
            "select c.relname as name, min(a.attname) as column
             from pg_class as c
             join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and a.attidentity = '' and a.attgenerated = ''
             where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')
             group by c.relname"
        ))
        .await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = array(&rows).iter();
    rows.map(|row| (text(&row["name"]), text(&row["column"])))
        .collect()
}

#[tokio::test]
async fn every_table_of_ours_is_the_servers_alone() {
    let world = World::migrated().await;
    world
        .execute(
            "select ops.open_item_days('2026-11-24T12:00:00Z');
             do $$
             declare
                 v_day name;
             begin
                 for v_day in
                     select relname from pg_class
                     where relnamespace = 'ops'::regnamespace and relname like 'items\\_2%' and relkind = 'r'
                         and relname not in ('items_20261123', 'items_20261124')
                 loop
                     execute format('drop table ops.%I', v_day);
                 end loop;
             end
             $$",
        )
        .await;
    let columns = columns(&world, "ops").await;
    let listed: Vec<_> = TABLES
        .iter()
        .map(|(table, _)| (*table).to_owned())
        .collect();
    let mut sorted = listed.clone();
    sorted.sort();
    let there: Vec<_> = columns.keys().cloned().collect();
    assert_eq!(sorted, there, "the tables that there are");
    for (who, role, claims) in callers() {
        let client = caller(&world, role, &claims).await;
        for (table, server) in TABLES {
            let expected = match (who, server) {
                ("server", Server::Whole) => "siud",
                ("server", Server::Reads) => "s---",
                _ => "----",
            };
            let done = may(&client, &format!("ops.{table}"), &columns[table]).await;
            assert_eq!(done, expected, "{who}: {table}");
        }
        let version = client
            .batch_execute("select version from ops.migrations")
            .await;
        assert_eq!(version.is_ok(), who == "server", "{who}");
    }
}

/// How many rows each caller but the server sees of a table of the app: of Anna's and
/// nobody's.
#[tokio::test]
async fn every_table_of_the_app_is_written_by_the_server_alone_and_read_by_its_owner_and_admins() {
    let world = World::of_the_app().await;
    world.migrate().await;
    let columns = columns(&world, "public").await;
    for (who, role, claims) in callers() {
        let client = caller(&world, role, &claims).await;
        for table in APP_TABLES {
            let expected = match who {
                "server" => "siud",
                "anon" => "----",
                // Whose rows it may read is the policies' matter.
                _ => "s---",
            };
            let done = may(&client, &format!("public.{table}"), &columns[table]).await;
            assert_eq!(done, expected, "{who}: {table}");
            if who == "anon" {
                continue;
            }
            let own = world
                .value(&format!(
                    "exists (select from pg_policies where schemaname = 'public' and tablename = '{table}'
                         and policyname = 'ops_own_rows')"
                ))
                .await;
            let mine = format!(
                "select count(*) from public.{table} as t where to_jsonb(t) ->> 'user_id' = '{ANNA}'"
            );
            let all = format!("select count(*) from public.{table}");
            let count = async |client: &Client, sql: &str| -> i64 {
                client.query_one(sql, &[]).await.unwrap().get(0)
            };
            let sees_all = who == "server"
                || Role::parse(who).is_some_and(|role| role.may(Permission::ReadRows));
            let visible = match own.as_bool() {
                _ if sees_all => count(&world.admin, &all).await,
                Some(true) => count(&world.admin, &mine).await,
                _ => 0,
            };
            assert_eq!(count(&client, &all).await, visible, "{who}: {table}");
        }
    }
}
