//! Memory that runs short is told in words, before the system ends the process without
//! any: a value arrives whole, however large it is.

use std::time::Duration;

use outside::clock;

use super::RunError;

const LOOK: Duration = Duration::from_millis(250);

/// The least that has to be left, as one part in so many of all. A function has a machine
/// of its own with as much as it may use.
const LEAST: u64 = 16;

/// Returns when too little is left; never on a system that does not tell.
pub(super) async fn watch() -> RunError {
    loop {
        clock::wait(LOOK).await;
        let told = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        if let Some(total) = too_little_of(&told) {
            return RunError::Memory {
                megabytes: total / 1024,
            };
        }
    }
}

/// All there is in kB, if too little of it is left.
fn too_little_of(meminfo: &str) -> Option<u64> {
    let field = |name: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let total = field("MemTotal:")?;
    (field("MemAvailable:")? < total / LEAST).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sixteenth_has_to_be_left() {
        let told = |left: u64| {
            format!("MemTotal:     2000000 kB\nMemFree:       1 kB\nMemAvailable:   {left} kB\n")
        };
        assert_eq!(too_little_of(&told(125_000)), None);
        assert_eq!(too_little_of(&told(124_999)), Some(2_000_000));
        assert_eq!(too_little_of(""), None);
    }
}
