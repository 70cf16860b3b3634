//! What the machine says on which Supabase runs a project's database: processors, memory and
//! disk, of the metrics that the project itself serves to whoever has its secret key.

use outside::{clock::Deadline, failure::Failure, outbound::Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use crate::exchange::exchange_up_to;

/// The path below a project's URL.
pub const PATH: &str = "/customer/v1/privileged/metrics";

/// The largest answer that is read, in bytes: some two hundred series are a tenth of it.
const ANSWER_LIMIT: usize = 2 * 1024 * 1024;

/// Where the database's files lie on such a machine, the likeliest first.
const DISKS: [&str; 2] = ["/data", "/"];

/// The machine, in our words. What it does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostMetrics {
    /// Seconds of all processors since it started.
    pub cpu_seconds: Option<f64>,
    /// Those in which they did something.
    pub cpu_busy_seconds: Option<f64>,
    /// Its memory, in bytes.
    pub memory_bytes: Option<f64>,
    /// What of it can be had.
    pub memory_free_bytes: Option<f64>,
    /// The disk of the database, in bytes.
    pub disk_bytes: Option<f64>,
    /// What of it can be had.
    pub disk_free_bytes: Option<f64>,
}

/// Why the machine could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// Nobody answered.
    #[error("the host's metrics cannot be reached: {0}")]
    Failed(#[from] Failure),
    /// Something else was answered.
    #[error("the host's metrics answered {0}")]
    Status(u16),
    /// Nothing of the machine is in them.
    #[error("the host's metrics say nothing of the host")]
    Silent,
}

/// Reads the machine.
///
/// # Errors
/// If nothing can be learnt of it.
pub async fn read(
    outbound: &Outbound,
    url: &Url,
    key: &SecretString,
    deadline: Deadline,
) -> Result<HostMetrics, Unread> {
    let request = outbound
        .client()?
        .get(url.clone())
        .basic_auth("service_role", Some(key.expose_secret()));
    let answer = exchange_up_to(ANSWER_LIMIT, request, deadline).await?;
    if !answer.status.is_success() {
        return Err(Unread::Status(answer.status.as_u16()));
    }
    let metrics = HostMetrics::parse(&String::from_utf8_lossy(&answer.body));
    if metrics == HostMetrics::default() {
        return Err(Unread::Silent);
    }
    Ok(metrics)
}

impl HostMetrics {
    /// Reads the text form of Prometheus, as far as it is about the machine.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let samples: Vec<_> = text.lines().filter_map(Sample::parse).collect();
        let one = |name: &str| {
            let found = samples.iter().find(|sample| sample.name == name);
            found.map(|sample| sample.value)
        };
        let disk = |name: &str| {
            DISKS.iter().find_map(|mount| {
                let found = samples.iter().find(|sample| {
                    sample.name == name && sample.label("mountpoint") == Some(mount)
                });
                found.map(|sample| sample.value)
            })
        };
        Self {
            cpu_seconds: processors(&samples, |_| true),
            cpu_busy_seconds: processors(&samples, |mode| !matches!(mode, "idle" | "iowait")),
            memory_bytes: one("node_memory_MemTotal_bytes"),
            memory_free_bytes: one("node_memory_MemAvailable_bytes"),
            disk_bytes: disk("node_filesystem_size_bytes"),
            disk_free_bytes: disk("node_filesystem_avail_bytes"),
        }
    }
}

/// Seconds of all processors in some modes.
fn processors(samples: &[Sample<'_>], counts: impl Fn(&str) -> bool) -> Option<f64> {
    let seconds: Vec<_> = samples
        .iter()
        .filter(|sample| sample.name == "node_cpu_seconds_total")
        .filter(|sample| sample.label("mode").is_some_and(&counts))
        .map(|sample| sample.value)
        .collect();
    (!seconds.is_empty()).then(|| seconds.iter().sum())
}

/// A line of the text form: `name{label="value",…} number`.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if !line.starts_with("node_") {
            return None;
        }
        let (name, labels, rest) = if let Some((name, rest)) = line.split_once('{') {
            let (labels, rest) = rest.rsplit_once('}')?;
            (name, labels, rest)
        } else {
            let (name, rest) = line.split_once(char::is_whitespace)?;
            (name, "", rest)
        };
        let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
        // What cannot be real is left out.
        (value.is_finite() && value >= 0.0).then_some(Self {
            name,
            labels,
            value,
        })
    }

    fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.split(',').find_map(|label| {
            let value = label.trim().strip_prefix(name)?.strip_prefix("=\"")?;
            value.strip_suffix('"')
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{supabase_project_ref="abc",cpu="0",mode="idle"} 900.5
node_cpu_seconds_total{supabase_project_ref="abc",cpu="0",mode="iowait"} 10
node_cpu_seconds_total{supabase_project_ref="abc",cpu="0",mode="user"} 80
node_cpu_seconds_total{supabase_project_ref="abc",cpu="1",mode="system"} 9.5
node_filesystem_avail_bytes{device="/dev/root",fstype="ext4",mountpoint="/"} 1e+09
node_filesystem_size_bytes{device="/dev/root",fstype="ext4",mountpoint="/"} 1.0e+10
node_filesystem_avail_bytes{device="/dev/nvme1n1",fstype="ext4",mountpoint="/data"} 6e+09
node_filesystem_size_bytes{device="/dev/nvme1n1",fstype="ext4",mountpoint="/data"} 8e+09
node_memory_MemTotal_bytes 1.0e+09
node_memory_MemAvailable_bytes{supabase_project_ref="abc"} 2.5e+08 1790000000
pg_database_size_bytes 12
"#;

    #[test]
    fn processors_memory_and_the_disk_of_the_database_are_read() {
        assert_eq!(
            HostMetrics::parse(TEXT),
            HostMetrics {
                cpu_seconds: Some(1000.0),
                cpu_busy_seconds: Some(89.5),
                memory_bytes: Some(1e9),
                memory_free_bytes: Some(2.5e8),
                disk_bytes: Some(8e9),
                disk_free_bytes: Some(6e9),
            }
        );
    }

    #[test]
    fn what_is_odd_is_left_out_and_takes_nothing_along() {
        for odd in [
            "",
            "<html>",
            "node_memory_MemTotal_bytes",
            "node_memory_MemTotal_bytes{a=\"b\"",
            "node_cpu_seconds_total{mode=\"user\"} NaN",
        ] {
            assert_eq!(HostMetrics::parse(odd), HostMetrics::default(), "{odd}");
        }
        let some =
            HostMetrics::parse("node_memory_MemTotal_bytes -1\nnode_memory_MemAvailable_bytes 5\n");
        assert_eq!(
            (some.memory_bytes, some.memory_free_bytes),
            (None, Some(5.0))
        );
    }
}
