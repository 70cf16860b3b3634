//! A database for one test.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use tokio::sync::{Mutex, OnceCell};

use super::{Cluster, quoted};
use crate::random;

/// Which templates this process has made.
static TEMPLATES: LazyLock<Mutex<HashMap<String, Arc<OnceCell<()>>>>> =
    LazyLock::new(Mutex::default);

/// A database on the shared server, cloned from a template and removed when
/// dropped.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Clones a database from the named template. The first call in the
    /// process makes the template: a fresh Supabase database that `prepare`
    /// then changes (with migrations, say), given the server and its name.
    pub async fn create<F>(template: &str, prepare: F) -> anyhow::Result<Self>
    where
        F: AsyncFnOnce(&Cluster, &str) -> anyhow::Result<()>,
    {
        let cluster = Cluster::shared().await?;
        let template = format!("template_{template}");
        let made = Arc::clone(TEMPLATES.lock().await.entry(template.clone()).or_default());
        made.get_or_try_init(|| make_template(cluster, &template, prepare))
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
    /// and at the end of the process the whole server goes.
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

/// Makes a template. Nobody may connect to it afterwards, because a session in
/// a template keeps it from being cloned.
async fn make_template<F>(cluster: &Cluster, name: &str, prepare: F) -> anyhow::Result<()>
where
    F: AsyncFnOnce(&Cluster, &str) -> anyhow::Result<()>,
{
    cluster.drop_database(name).await?;
    cluster.create_database(name, None).await?;
    prepare(cluster, name).await?;
    cluster
        .connect_admin("template1")
        .await?
        .batch_execute(&format!(
            "alter database {} with allow_connections false",
            quoted(name)
        ))
        .await?;
    Ok(())
}
