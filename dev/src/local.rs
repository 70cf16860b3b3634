//! The local server and stack, with the keys of the last start, and its ports
//! where they can be had: a shell that has read `dev.env` goes on working.

use std::{net::TcpListener, sync::Arc};

use anyhow::Context;
use local_supabase::{
    capture,
    postgres::{Cluster, ClusterOptions},
    stack::{Channels, Ports, Stack, StackOptions},
};
use terminal::env_file::Variables;
use url::Url;

use super::{Database, folder::Folder};

/// What runs below the endpoints.
pub(super) struct Local {
    stack: Arc<Stack>,
    // After the stack, whose sessions it holds.
    cluster: Option<Box<Cluster>>,
}

impl Local {
    /// Starts the server, unless it is shared, and the stack.
    pub(super) async fn start(
        folder: Option<&Folder>,
        database: &Database,
        channels: Channels,
    ) -> anyhow::Result<Self> {
        let data = folder.map(|folder| folder.path().to_owned());
        let last = folder.map(LastPorts::of).unwrap_or_default();
        let options = StackOptions {
            data: data.clone(),
            ports: last.of_stack(),
            channels,
            ..StackOptions::default()
        };
        if let Database::Shared(name) = database {
            let options = StackOptions {
                database: name.clone(),
                ..options
            };
            let stack = Stack::start(Cluster::shared().await?, options).await?;
            return Ok(Self {
                stack: Arc::new(stack),
                cluster: None,
            });
        }
        tracing::info!("starting PostgreSQL");
        let durable = folder.is_some();
        let cluster = Cluster::start(ClusterOptions {
            data,
            durable,
            port: last.of_server(),
        })
        .await?;
        let stack = Stack::start(&cluster, options).await?;
        Ok(Self {
            stack: Arc::new(stack),
            cluster: Some(Box::new(cluster)),
        })
    }

    pub(super) fn stack(&self) -> &Stack {
        &self.stack
    }

    pub(super) fn stack_handle(&self) -> Arc<Stack> {
        Arc::clone(&self.stack)
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stack.stop().await;
        match self.cluster {
            Some(cluster) => cluster.stop().await.context("cannot stop PostgreSQL"),
            None => Ok(()),
        }
    }
}

/// The ports of the last start, as far as they are free. A start that ran on a
/// described Supabase names ports that are not ours to take.
#[derive(Default)]
struct LastPorts(Variables);

impl LastPorts {
    fn of(folder: &Folder) -> Self {
        let last = folder.variables();
        let authority = folder.path().join("ca.pem");
        let ours = last
            .get("DATABASE_CA")
            .is_some_and(|path| authority.as_os_str() == path.as_str());
        Self(if ours { last } else { Variables::new() })
    }

    fn of_server(&self) -> Option<u16> {
        self.free("DATABASE_URL")
    }

    fn of_stack(&self) -> Ports {
        Ports {
            supabase: self.free("SUPABASE_URL"),
            app: self.free("NEXT_PUBLIC_APP_URL"),
            slack: self.free("SLACK_WEBHOOK_URL"),
            resend: self.free("RESEND_BASE_URL"),
            openai: self.free("OPENAI_BASE_URL"),
            vision: self.free("GOOGLE_VISION_BASE_URL"),
            vercel: self.free("VERCEL_API_URL"),
            github: self.free("GITHUB_API_URL"),
            management: self.free("SUPABASE_API_URL"),
            channels: capture::places()
                .filter_map(|(service, variable)| Some((service, self.free(variable)?)))
                .collect(),
        }
    }

    fn free(&self, name: &str) -> Option<u16> {
        let port = Url::parse(self.0.get(name)?).ok()?.port()?;
        TcpListener::bind(("127.0.0.1", port))
            .is_ok()
            .then_some(port)
    }
}
