//! The database that both sides copy: half of it a table with an identity key,
//! half of it one shaped like the app's events, with random keys and a time.

use local_supabase::postgres::{Cluster, ClusterOptions};
use ops::migrate;
use outside::database;
use secrecy::SecretString;
use tokio_postgres::Client;

/// Rows of either table in a megabyte of database, found by measuring.
const READINGS_PER_MEGABYTE: u64 = 4_000;
const EVENTS_PER_MEGABYTE: u64 = 2_300;

/// A table that grows, and how one row more of it is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    /// Its key is an identity.
    Readings,
    /// Its key is random, its rows have a time.
    Events,
}

impl Table {
    pub(crate) const ALL: [Self; 2] = [Self::Readings, Self::Events];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Readings => "readings",
            Self::Events => "analytics_events",
        }
    }

    fn insert(self) -> &'static str {
        match self {
            Self::Readings => {
                "insert into public.readings (cellar, at, temperature, humidity, note)
                 select
                     'cellar ' || n % 97,
                     timestamptz '2026-01-01' + n * interval '1 second',
                     10 + (random() * 8)::numeric(6, 3),
                     50 + (random() * 30)::numeric(6, 3),
                     md5(random()::text) || ' ' || md5((n / 7)::text) || ' measured by the third shelf'
                 from generate_series($1::bigint + 1, $2::bigint) as n"
            }
            Self::Events => {
                "insert into public.analytics_events
                     (event_name, properties, session_id, user_agent, ip_address, \"timestamp\")
                 select
                     (array['wine_added', 'page_view', 'ai_query_processed', 'recommendation_generated'])[1 + n % 4],
                     jsonb_build_object('wine', md5(random()::text), 'score', random(), 'vintage', 1950 + n % 75),
                     md5((n / 20)::text),
                     'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14' || n % 9,
                     ('10.' || n % 250 || '.' || n % 199 || '.7')::inet,
                     (select coalesce(max(\"timestamp\"), '2026-01-01') from public.analytics_events)
                         + (n - $1::bigint) * interval '1 second'
                 from generate_series($1::bigint + 1, $2::bigint) as n"
            }
        }
    }
}

/// What happens to a hundredth of the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Nothing,
    Updated,
    Appended,
    Spread,
}

impl Change {
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Updated, Self::Appended, Self::Spread];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing changed",
            Self::Updated => "1 % updated side by side",
            Self::Appended => "1 % appended",
            Self::Spread => "1 % updated here and there",
        }
    }

    /// Statements that change both tables.
    fn statements(self) -> [&'static str; 2] {
        match self {
            Self::Nothing | Self::Appended => ["", ""],
            Self::Updated => [
                "update public.readings set note = note || ' again'
                 where id between (select max(id) / 2 from public.readings)
                     and (select max(id) / 2 + max(id) / 100 from public.readings)",
                "update public.analytics_events set user_agent = user_agent || ' again' where id in (
                     select id from public.analytics_events order by \"timestamp\", id
                     offset (select count(*) / 2 from public.analytics_events)
                     limit (select count(*) / 100 from public.analytics_events))",
            ],
            Self::Spread => [
                "update public.readings set note = note || ' there' where id % 100 = 0",
                "update public.analytics_events set user_agent = user_agent || ' there'
                 where hashtext(id::text) % 100 = 0",
            ],
        }
    }
}

/// A server with a database of about that many megabytes.
pub(crate) struct Source {
    pub(crate) cluster: Cluster,
    client: Client,
}

/// The database that is copied.
pub(crate) const DATABASE: &str = "benchmark";

impl Source {
    pub(crate) async fn fill(megabytes: u64) -> anyhow::Result<Self> {
        let cluster = Cluster::start(ClusterOptions::default()).await?;
        cluster.create_database(DATABASE, None).await?;
        let (url, ca) = direct(&cluster, DATABASE);
        let mut client = database::connect(&url, Some(&ca)).await?;
        migrate::apply(&mut client, &mut |_| {}).await?;
        client
            .batch_execute(
                "set statement_timeout = 0;
                 create table public.readings (
                     id bigint generated always as identity primary key,
                     cellar text not null,
                     at timestamptz not null,
                     temperature numeric(6, 3),
                     humidity numeric(6, 3),
                     note text
                 );
                 create index readings_at_idx on public.readings (cellar, at)",
            )
            .await?;
        let source = Self { cluster, client };
        source
            .grow(Table::Readings, megabytes / 2 * READINGS_PER_MEGABYTE)
            .await?;
        source
            .grow(Table::Events, megabytes / 2 * EVENTS_PER_MEGABYTE)
            .await?;
        source.client.batch_execute("vacuum analyze").await?;
        Ok(source)
    }

    /// Adds rows, so many at a time: triggers hold what one statement adds.
    pub(crate) async fn grow(&self, table: Table, rows: u64) -> anyhow::Result<()> {
        const AT_ONCE: usize = 1_000_000;
        for begin in (0..rows).step_by(AT_ONCE) {
            let end = rows.min(begin + AT_ONCE as u64);
            let (begin, end) = (i64::try_from(begin)?, i64::try_from(end)?);
            self.client.execute(table.insert(), &[&begin, &end]).await?;
        }
        Ok(())
    }

    /// Changes a hundredth of the rows.
    pub(crate) async fn change(&self, change: Change) -> anyhow::Result<()> {
        for statement in change.statements() {
            self.client.batch_execute(statement).await?;
        }
        if matches!(change, Change::Appended) {
            for table in Table::ALL {
                self.grow(table, self.rows(table).await? / 100).await?;
            }
        }
        Ok(())
    }

    /// How many rows a table has.
    pub(crate) async fn rows(&self, table: Table) -> anyhow::Result<u64> {
        let sql = format!("select count(*) from public.{}", table.name());
        let count: i64 = self.client.query_one(&sql, &[]).await?.get(0);
        Ok(count.try_into()?)
    }

    /// The size of the database in bytes.
    pub(crate) async fn bytes(&self) -> anyhow::Result<u64> {
        let sql = "select pg_database_size(current_database())";
        let bytes: i64 = self.client.query_one(sql, &[]).await?.get(0);
        Ok(bytes.try_into()?)
    }
}

/// `DATABASE_URL` and `DATABASE_CA` of a database.
pub(crate) fn direct(cluster: &Cluster, database: &str) -> (SecretString, String) {
    let ca = cluster.ca_pem_path().display().to_string();
    (cluster.postgres_url(database).into(), ca)
}
