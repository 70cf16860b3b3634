//! A database of one's own, called as PostgREST calls it.

use local_supabase::postgres::{Cluster, TestDatabase};
use ops::migrate;
use serde_json::{Value, json};
use tokio_postgres::Client;

/// A database with a session of the server's key and one that sees all.
pub(crate) struct World {
    database: TestDatabase,
    /// As `service_role`, by way of `authenticator`.
    service: Client,
    /// As superuser, to arrange and to look.
    pub(crate) admin: Client,
}

impl World {
    /// A fresh project with every migration applied.
    pub(crate) async fn migrated() -> Self {
        let schema = migrate::Schema::embedded().fingerprint();
        let database = TestDatabase::create("migrated", &schema, async |cluster, name| {
            apply_migrations(cluster, name).await;
            Ok(())
        });
        Self::over(database.await.expect("a migrated database")).await
    }

    /// The same, ninety days later.
    pub(crate) async fn of_ninety_days() -> Self {
        let rows = include_str!("../sql/ninety_days.sql");
        let made_of = [&migrate::Schema::embedded().fingerprint(), rows].concat();
        let database = TestDatabase::create("ninety_days", &made_of, async |cluster, name| {
            apply_migrations(cluster, name).await;
            let admin = cluster.connect_admin(name).await?;
            Ok(admin.batch_execute(rows).await?)
        });
        Self::over(database.await.expect("a database of ninety days")).await
    }

    /// A fresh project on which the application's own tables stand already.
    pub(crate) async fn of_the_app() -> Self {
        let tables = include_str!("../sql/app_tables.sql");
        let database = TestDatabase::create("of_the_app", tables, async |cluster, name| {
            let owner = cluster.connect_postgres(name).await?;
            Ok(owner.batch_execute(tables).await?)
        });
        Self::over(database.await.expect("the application's database")).await
    }

    /// A fresh project without anything of ours.
    pub(crate) async fn empty() -> Self {
        Self::over(TestDatabase::empty().await.expect("an empty database")).await
    }

    async fn over(database: TestDatabase) -> Self {
        let admin = connect(&database).await;
        let service = connect(&database).await;
        service
            .batch_execute("set session authorization authenticator; set role service_role")
            .await
            .unwrap();
        Self {
            database,
            service,
            admin,
        }
    }

    /// Applies what is pending, as the operator's command does.
    pub(crate) async fn migrate(&self) {
        let cluster = self.database.cluster().await.unwrap();
        apply_migrations(cluster, self.database.name()).await;
    }

    /// Another session that sees all.
    pub(crate) async fn session(&self) -> Client {
        connect(&self.database).await
    }

    /// A session of the role that migrates.
    pub(crate) async fn owner(&self) -> Client {
        let cluster = self.database.cluster().await.unwrap();
        let owner = cluster.connect_postgres(self.database.name()).await;
        owner.expect("the owner's session")
    }

    /// How the role that migrates connects.
    pub(crate) async fn owner_config(&self) -> tokio_postgres::Config {
        let cluster = self.database.cluster().await.unwrap();
        cluster.postgres_config(self.database.name())
    }

    /// How a superuser connects, for a test that drives the connection itself.
    pub(crate) async fn config(&self) -> tokio_postgres::Config {
        let cluster = self.database.cluster().await.unwrap();
        cluster.admin_config(self.database.name())
    }

    /// Calls a function with named arguments under the server's key.
    pub(crate) async fn call(&self, function: &str, arguments: Value) -> Value {
        self.try_call(function, arguments)
            .await
            .unwrap_or_else(|error| panic!("{function}: {error:?}"))
    }

    /// The same, where a refusal is expected.
    pub(crate) async fn try_call(
        &self,
        function: &str,
        arguments: Value,
    ) -> Result<Value, tokio_postgres::Error> {
        call(&self.service, function, arguments).await
    }

    /// The SQLSTATE, message and hint with which a call is refused.
    pub(crate) async fn refusal(&self, function: &str, arguments: Value) -> [String; 3] {
        let error = self
            .try_call(function, arguments)
            .await
            .expect_err("a refusal");
        let error = error.as_db_error().expect("the server's word");
        [
            error.code().code().to_owned(),
            error.message().to_owned(),
            error.hint().unwrap_or_default().to_owned(),
        ]
    }

    /// Runs SQL as superuser.
    pub(crate) async fn execute(&self, sql: &str) {
        self.admin
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Reads rows as superuser, as an array of objects.
    pub(crate) async fn rows(&self, query: &str) -> Value {
        let sql = format!("select coalesce(jsonb_agg(r), '[]')::text from ({query}) as r");
        document(&self.admin, &sql, &[]).await.expect(query)
    }

    /// Reads one value of one row as superuser.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let sql = format!("select to_jsonb({expression})::text");
        let row = self.admin.query_one(&sql, &[]).await.expect(expression);
        row.get::<_, Option<String>>(0)
            .map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// Claims the monitor's slot at that time and commits a tick of those checks.
    pub(crate) async fn tick(&self, now: &str, checks: &[Value]) -> Value {
        self.tick_with(now, checks, json!({})).await
    }

    /// The same, with other fields of the tick.
    pub(crate) async fn tick_with(&self, now: &str, checks: &[Value], fields: Value) -> Value {
        let claim = self.claim(now).await;
        assert_eq!(claim["outcome"], "claimed", "{claim}");
        self.commit(&claim, now, checks, fields).await
    }

    /// Claims the monitor's slot at that time.
    pub(crate) async fn claim(&self, now: &str) -> Value {
        let arguments = json!({
            "p_run": uuid::Uuid::new_v4(), "p_job": "monitor", "p_every_seconds": 60,
            "p_lease_seconds": 55, "p_manual": false, "p_now": at(now),
        });
        self.call("ops_claim_run", arguments).await
    }

    /// Commits a claimed tick.
    pub(crate) async fn commit(
        &self,
        claim: &Value,
        now: &str,
        checks: &[Value],
        fields: Value,
    ) -> Value {
        let mut tick = json!({
            "environment": "production", "deployment": null, "everySeconds": 60,
            "checks": checks, "channels": ["slack", "email"], "emergency": null,
        });
        for (key, value) in fields.as_object().unwrap() {
            tick[key] = value.clone();
        }
        let arguments = json!({
            "p_run": claim["run"], "p_fence": claim["fence"], "p_tick": tick, "p_now": at(now),
        });
        self.call("ops_commit_tick", arguments).await
    }

    /// Leases what is due at that time.
    pub(crate) async fn claim_messages(&self, now: &str) -> Value {
        self.call("ops_claim_messages", claim_arguments(now)).await
    }

    /// Leases what is due and says that all of it was sent; returns how many.
    pub(crate) async fn deliver(&self, now: &str) -> u64 {
        let claimed = self.claim_messages(now).await;
        let single = array(&claimed["messages"])
            .iter()
            .map(|message| (message["lease"].clone(), message["id"].clone()));
        let digested = array(&claimed["digests"]).iter().flat_map(|digest| {
            array(&digest["ids"])
                .iter()
                .map(|id| (digest["lease"].clone(), id.clone()))
        });
        let (leases, results): (Vec<_>, Vec<_>) = single
            .chain(digested)
            .map(|(lease, id)| (lease, json!({"id": id, "outcome": "sent"})))
            .unzip();
        let Some(lease) = leases.first() else {
            return 0;
        };
        let arguments = json!({"p_claim": lease, "p_results": results, "p_now": at(now)});
        let settled = self.call("ops_settle_messages", arguments).await;
        settled["sent"].as_u64().unwrap()
    }

    /// The dashboard of production over that many seconds.
    pub(crate) async fn dashboard(&self, seconds: u32, now: &str) -> Value {
        let arguments =
            json!({"p_seconds": seconds, "p_environment": "production", "p_now": at(now)});
        self.call("ops_dashboard", arguments).await
    }
}

/// Arguments of a claim for both channels at that time.
pub(crate) fn claim_arguments(now: &str) -> Value {
    json!({
        "p_claim": uuid::Uuid::new_v4(), "p_channels": ["slack", "email"], "p_limit": 50,
        "p_lease_seconds": 60, "p_now": at(now),
    })
}

/// A time of the tests' day, 24 November 2026, unless it names its own.
pub(crate) fn at(time: &str) -> String {
    if time.contains('T') {
        time.to_owned()
    } else {
        format!("2026-11-24T{time}Z")
    }
}

/// The minutes after a time of day, each as a time.
pub(crate) fn minutes(from: &str, count: u32) -> Vec<String> {
    let start: jiff::Timestamp = at(from).parse().unwrap();
    (0..count)
        .map(|minute| (start + jiff::SignedDuration::from_mins(minute.into())).to_string())
        .collect()
}

/// A checked URL that has that status.
pub(crate) fn app(status: &str) -> Value {
    page("https://app.example/", status, Some(120))
}

/// Another checked URL.
pub(crate) fn page(url: &str, status: &str, latency_ms: Option<u32>) -> Value {
    json!({
        "name": format!("app:{url}"), "kind": "app", "service": "app", "critical": true,
        "status": status, "latencyMs": latency_ms,
        "reason": (status == "down").then_some("timeout"), "detail": {"url": url},
    })
}

/// A dependency that has that status.
pub(crate) fn dependency(service: &str, status: &str) -> Value {
    json!({
        "name": service, "kind": "dependency", "service": service,
        "critical": service == "database", "status": status, "latencyMs": 20, "reason": null,
        "detail": {},
    })
}

/// A certificate with that many days left.
pub(crate) fn certificate(days_left: Option<i32>) -> Value {
    json!({
        "name": "certificate:app.example", "kind": "certificate", "service": "app",
        "critical": false, "status": if days_left.is_some() { "up" } else { "unknown" },
        "latencyMs": null, "reason": null,
        "detail": {"host": "app.example", "daysLeft": days_left},
    })
}

/// What opened and resolved, as `opened app_down https://…`.
pub(crate) fn transitions(tick: &Value) -> Vec<String> {
    assert_eq!(tick["outcome"], "committed", "{tick}");
    array(&tick["transitions"])
        .iter()
        .map(|one| {
            ["kind", "rule", "subject"]
                .map(|key| one[key].as_str().unwrap())
                .join(" ")
        })
        .collect()
}

/// The verdict of a rule on a subject, or null if it gave none.
pub(crate) fn verdict<'a>(tick: &'a Value, rule: &str, subject: &str) -> &'a Value {
    array(&tick["rules"])
        .iter()
        .find(|one| one["rule"] == rule && one["subject"] == subject)
        .unwrap_or(&Value::Null)
}

/// The elements of an array.
pub(crate) fn array(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("not an array: {value}"))
}

/// Calls a function as PostgREST does: arguments by name, from one document, in
/// the types that the function declares.
pub(crate) async fn call(
    client: &Client,
    function: &str,
    arguments: Value,
) -> Result<Value, tokio_postgres::Error> {
    let declared = client
        .query(
            "select name, type::regtype::text
             from pg_catalog.pg_proc as p,
                  unnest(p.proargnames, p.proargtypes::oid[]) as argument (name, type)
             where p.pronamespace = 'public'::regnamespace and p.proname = $1",
            &[&function],
        )
        .await?;
    let given = arguments.as_object().expect("named arguments");
    let types: Vec<(String, String)> = declared
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .filter(|(name, _)| given.contains_key(name))
        .collect();
    assert_eq!(types.len(), given.len(), "unknown argument of {function}");
    let names: Vec<String> = types
        .iter()
        .map(|(name, _)| format!("{name} => a.{name}"))
        .collect();
    let columns: Vec<String> = types
        .iter()
        .map(|(name, kind)| format!("{name} {kind}"))
        .collect();
    let source = if columns.is_empty() {
        "select $1::text".to_owned()
    } else {
        format!(
            "select * from pg_catalog.jsonb_to_record($1::text::jsonb) as r ({})",
            columns.join(", ")
        )
    };
    let sql = format!(
        "select public.{function}({})::text from ({source}) as a",
        names.join(", ")
    );
    document(client, &sql, &[&arguments.to_string()]).await
}

async fn document(
    client: &Client,
    sql: &str,
    parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
) -> Result<Value, tokio_postgres::Error> {
    let row = client.query_one(sql, parameters).await?;
    Ok(serde_json::from_str(row.get(0)).expect("a document"))
}

async fn connect(database: &TestDatabase) -> Client {
    let cluster = database.cluster().await.unwrap();
    let client = cluster
        .connect_admin(database.name())
        .await
        .expect("a session");
    client.batch_execute("set timezone = 'UTC'").await.unwrap();
    client
}

async fn apply_migrations(cluster: &Cluster, name: &str) {
    let mut owner = cluster
        .connect_postgres(name)
        .await
        .expect("the owner's session");
    migrate::apply(&mut owner, &mut |_| {})
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}
