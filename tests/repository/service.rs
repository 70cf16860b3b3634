//! The unit of `monitor` that the documentation shows is one that systemd takes.

use std::process::Command;

use crate::{documents::between, files};

#[test]
fn the_unit_of_the_monitor_is_one_that_systemd_takes() {
    let page = files::text("docs/monitor.md");
    let unit = between(&page, "```ini\n", "```").next().unwrap();
    for line in [
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "DynamicUser=yes",
    ] {
        assert!(unit.contains(line), "{line}");
    }
    // The command is not installed where this runs.
    let unit = unit.replace("/usr/local/bin/pourtrait", "/bin/true");
    let folder = std::env::temp_dir().join(format!("pourtrait-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("pourtrait-monitor.service");
    std::fs::write(&file, unit).unwrap();
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&file)
        .output();
    std::fs::remove_dir_all(&folder).unwrap();
    match verified {
        Ok(output) => assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => println!("not verified, because there is no systemd-analyze: {error}"),
    }
}
