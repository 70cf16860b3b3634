//! A database for one test.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use ring::digest::{SHA256, digest};
use tokio::sync::{Mutex, OnceCell};

use super::{Cluster, quoted};
use crate::random;

/// Which templates this process has found or made.
static TEMPLATES: LazyLock<Mutex<HashMap<String, Arc<OnceCell<()>>>>> =
    LazyLock::new(Mutex::default);

/// A database on the shared server, cloned from a template and removed when
/// dropped.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Clones a database from a template, which is known by its name and by
    /// what it is made of, the text of migrations, say. The first call in all
    /// processes of the server makes the template: a fresh Supabase database
    /// that `prepare` then changes, given the server and its name.
    pub async fn create<F>(template: &str, made_of: &str, prepare: F) -> anyhow::Result<Self>
    where
        F: AsyncFnOnce(&Cluster, &str) -> anyhow::Result<()>,
    {
        let cluster = Cluster::shared().await?;
        let template = template_name(template, made_of);
        let made = Arc::clone(TEMPLATES.lock().await.entry(template.clone()).or_default());
        made.get_or_try_init(|| find_or_make(cluster, &template, prepare))
            .await?;
        let name = format!("test_{}", random::hex::<6>()?);
        cluster.create_database(&name, Some(&template)).await?;
        Ok(Self { name })
    }

    /// A database as a fresh Supabase project has it.
    pub async fn empty() -> anyhow::Result<Self> {
        let cluster = Cluster::shared().await?;
        let name = format!("test_{}", random::hex::<6>()?);
        cluster.create_database(&name, None).await?;
        Ok(Self { name })
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that holds it.
    pub async fn cluster(&self) -> anyhow::Result<&'static Cluster> {
        Cluster::shared().await
    }
}

impl Drop for TestDatabase {
    /// Removes the database in the background: a test need not wait for it,
    /// and what the end of the process leaves behind goes with the server.
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async { Cluster::shared().await?.drop_database(&name).await })
        });
    }
}

/// The name of the database that is the template.
fn template_name(template: &str, made_of: &str) -> String {
    let hash = digest(&SHA256, made_of.as_bytes());
    let start = hash.as_ref().first_chunk().copied().unwrap_or_default();
    format!("template_{template}_{:016x}", u64::from_be_bytes(start))
}

/// Makes a template that no process has made yet. One that was left half made
/// is made anew.
async fn find_or_make<F>(cluster: &Cluster, name: &str, prepare: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(&Cluster, &str) -> anyhow::Result<()>,
{
    // The end of the session lets the next process go on.
    let session = cluster.connect_admin("template1").await?;
    session
        .execute("select pg_advisory_lock(hashtextextended($1, 0))", &[&name])
        .await?;
    let found = session
        .query_opt(
            "select from pg_database where datname = $1 and not datallowconn",
            &[&name],
        )
        .await?;
    if found.is_some() {
        return Ok(());
    }
    cluster.drop_database(name).await?;
    cluster.create_database(name, None).await?;
    prepare(cluster, name).await?;
    // A session in a template would keep it from being cloned, so nobody may
    // connect from here on; that also says that the template is whole.
    session
        .batch_execute(&format!(
            "alter database {} with allow_connections false",
            quoted(name)
        ))
        .await?;
    Ok(())
}
