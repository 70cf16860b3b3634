//! How much memory this instance uses, as far as the system tells.

use super::report::Memory;

/// Reads `/proc`; every value is `None` on systems without it.
#[must_use]
pub(super) fn read(platform_limit_mb: Option<u64>) -> Memory {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limit_bytes = platform_limit_mb
        .map(|mb| mb * 1024 * 1024)
        .or_else(control_group_limit);
    let rss_bytes = field(&status, "VmRSS:");
    Memory {
        rss_bytes,
        peak_bytes: field(&status, "VmHWM:"),
        limit_bytes,
        percentage: rss_bytes.zip(limit_bytes).map(percentage),
    }
}

/// A line of `/proc/self/status`, which counts in kB.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn control_group_limit() -> Option<u64> {
    std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()?
        .trim()
        .parse()
        .ok()
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn percentage((used, limit): (u64, u64)) -> f64 {
    (used as f64 / limit as f64 * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_platforms_and_the_rest_is_the_systems() {
        let memory = read(Some(512));
        assert_eq!(memory.limit_bytes, Some(512 * 1024 * 1024));
        assert_eq!(
            field("VmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n", "VmRSS:"),
            Some(1024 * 1024)
        );
        assert_eq!(field("", "VmRSS:"), None);
    }
}
