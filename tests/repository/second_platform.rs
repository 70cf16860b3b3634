//! The template of the second platform follows from the table of endpoints.

use ops::endpoint::Endpoint;

use crate::{documents::between, files};

#[test]
fn the_template_runs_the_monitor_and_the_delivery_as_the_table_says() {
    let template = files::text("aws/template.yaml");
    let functions: Vec<&str> =
        between(&template, "AWS::Serverless::Function\n", "RetryPolicy").collect();
    assert_eq!(functions.len(), 2);
    for (function, endpoint) in functions
        .iter()
        .zip([Endpoint::Monitor, Endpoint::Dispatch])
    {
        let spec = endpoint.spec();
        for line in [
            format!("Binary: {} ", spec.name),
            format!("MemorySize: {}\n", spec.memory_mb),
            format!("Timeout: {}\n", spec.max_duration_s),
            "ScheduleExpression: rate(1 minute)\n".to_owned(),
            r#"Input: '{"clock":"aws","slot":"<aws.scheduler.scheduled-time>"}'"#.to_owned(),
        ] {
            assert!(function.contains(&line), "{}: {line}", spec.name);
        }
        assert_eq!(spec.job.map(|job| job.every_s), Some(60), "{}", spec.name);
    }
    // Without it a function takes itself for one on a laptop.
    assert!(template.contains("VERCEL_ENV: production\n"));
}
