//! What resources are called in a sentence.

/// A resource, by its id in the database; one that this release does not know goes by its id.
pub(super) fn name(id: &str) -> &str {
    match id {
        "database_size" => "the database's size",
        "database_disk" => "the database's disk",
        "connections" => "the database's connections",
        "database_cpu" => "the database's processors",
        "database_memory" => "the database's memory",
        "storage" => "Storage",
        "egress" => "egress",
        "invocations" => "calls of functions",
        "function_time" => "the time that a function may take",
        "function_memory" => "a function's memory",
        "cron_jobs" => "crons",
        "emails" => "emails a day",
        "openai" => "the quota of OpenAI",
        "vision" => "the quota of Google Vision",
        other => other,
    }
}
