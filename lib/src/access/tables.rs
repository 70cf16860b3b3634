//! Every table, and what each role of the database may do with it. A test asks the database
//! for each of these pairs.

/// Who asks the database, as the project's API makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The public key, and whoever has nothing else.
    Anonymous,
    /// Somebody who is signed in and has no role of ours.
    User,
    /// A person with the role `viewer`.
    Viewer,
    /// A person with the role `responder`.
    Responder,
    /// A person with the role `admin`.
    Admin,
    /// The secret key, which functions and the command hold.
    Server,
}

/// What the server's key may do with a table of ours. Nobody else may do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Read and write.
    Whole,
    /// Read.
    Reads,
    /// Read one column, to tell whether there is something new.
    OneColumn,
    /// Nothing by itself: functions of ours do, with the rights of their owner.
    Nothing,
}

/// The tables of schema `ops`, whose partitions are as they are.
pub const TABLES: &[(&str, Server)] = &[
    ("absences", Server::Whole),
    ("alert_events", Server::Whole),
    ("alert_states", Server::Whole),
    ("alerts", Server::Whole),
    ("answered_calls", Server::Whole),
    ("application_archives", Server::Whole),
    ("audit", Server::Reads),
    ("audit_checkpoint", Server::Reads),
    ("audit_details", Server::Reads),
    ("audit_key", Server::Nothing),
    ("audit_pending", Server::Nothing),
    ("backup_canary", Server::Whole),
    ("backup_collections", Server::Whole),
    ("backup_damages", Server::Whole),
    ("backup_drills", Server::Whole),
    ("backup_recoveries", Server::Whole),
    ("backup_replications", Server::Whole),
    ("backup_rereads", Server::Whole),
    ("backup_verifications", Server::Whole),
    ("backups", Server::Whole),
    ("blind_spans", Server::Whole),
    ("calendar_entries", Server::Whole),
    ("calendars", Server::Whole),
    ("channel_kinds", Server::Whole),
    ("channel_proofs", Server::Whole),
    ("channels", Server::Whole),
    ("check_changes", Server::Whole),
    ("check_runs", Server::Whole),
    ("checks", Server::Whole),
    ("clocks", Server::Whole),
    ("component_changes", Server::Whole),
    ("components", Server::Whole),
    ("consents", Server::Whole),
    ("contact_roles", Server::Whole),
    ("contacts", Server::Whole),
    ("counted_tables", Server::Whole),
    ("custom_checks", Server::Whole),
    ("daily_people", Server::Whole),
    ("daily_visitors", Server::Whole),
    ("database_readings", Server::Whole),
    ("database_sizes", Server::Whole),
    ("deliveries", Server::Whole),
    ("dependencies", Server::Whole),
    ("deployment_comparisons", Server::Whole),
    ("deployments", Server::Whole),
    ("door_counts", Server::Whole),
    ("door_drops", Server::Whole),
    ("door_keys", Server::Whole),
    ("door_sessions", Server::Whole),
    ("door_totals", Server::Whole),
    ("drill_dispatches", Server::Whole),
    ("erasures", Server::Whole),
    ("error_groups", Server::Whole),
    ("escalations", Server::Whole),
    ("evidence_reviews", Server::Whole),
    ("exercises", Server::Whole),
    ("exports", Server::Whole),
    ("facts", Server::Whole),
    ("feedback", Server::Whole),
    ("figure_sources", Server::Whole),
    ("figures", Server::Whole),
    ("forgotten_rows", Server::Whole),
    ("function_sets", Server::Reads),
    ("funnel_changes", Server::Whole),
    ("funnel_results", Server::Whole),
    ("funnels", Server::Whole),
    ("heartbeat_runs", Server::Whole),
    ("heartbeats", Server::Whole),
    ("incident_events", Server::Whole),
    ("incident_users", Server::Whole),
    ("incidents", Server::Whole),
    ("issue_hours", Server::Whole),
    ("issue_people", Server::Whole),
    ("issues", Server::Whole),
    ("items", Server::Whole),
    ("jobs", Server::Whole),
    ("kept_tables", Server::Whole),
    ("maintenance_windows", Server::Whole),
    ("migrations", Server::OneColumn),
    ("monitors", Server::Whole),
    ("noticed_events", Server::Whole),
    ("oncall_overrides", Server::Whole),
    ("outbox", Server::Whole),
    ("outdated_lists", Server::Whole),
    ("own_reports", Server::Whole),
    ("pending_figures", Server::Whole),
    ("people", Server::Whole),
    ("platform_readings", Server::Whole),
    ("platform_watches", Server::Whole),
    ("privacy_requests", Server::Whole),
    ("push_devices", Server::Whole),
    ("receipt_checks", Server::Whole),
    ("receipts", Server::Whole),
    ("releases", Server::Whole),
    ("reports", Server::Whole),
    ("request_hours", Server::Whole),
    ("resource_days", Server::Whole),
    ("resource_readings", Server::Whole),
    ("restores", Server::Whole),
    ("role_permissions", Server::Whole),
    ("rotation_layers", Server::Whole),
    ("rotation_members", Server::Whole),
    ("rotations", Server::Whole),
    ("rules", Server::Whole),
    ("runs", Server::Whole),
    ("samples", Server::Whole),
    ("scheduler", Server::Whole),
    ("scheduler_calls", Server::Whole),
    ("security_reports", Server::Whole),
    ("served_deployments", Server::Whole),
    ("setting_changes", Server::Whole),
    ("settings", Server::Whole),
    ("sign_in_tries", Server::Whole),
    ("silences", Server::Whole),
    ("source_map_parts", Server::Whole),
    ("source_maps", Server::Whole),
    ("status_copies", Server::Whole),
    ("subscriber_messages", Server::Whole),
    ("subscribers", Server::Whole),
    ("subscription_requests", Server::Whole),
    ("uncounted_rows", Server::Whole),
    ("uptime_days", Server::Whole),
    ("uptime_rollups", Server::Whole),
    ("uptime_spans", Server::Whole),
    ("visitor_keys", Server::Whole),
    ("visits", Server::Whole),
    ("web_vitals", Server::Whole),
];

/// The application's monitoring tables, in schema `public`.
pub const APP_TABLES: [&str; 9] = [
    "analytics_events",
    "performance_metrics",
    "error_logs",
    "business_metrics",
    "alerts",
    "system_health",
    "user_sessions",
    "feature_usage",
    "api_usage_metrics",
];

/// What is read of a table of the application's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Nothing: the table is refused.
    Refused,
    /// Their own rows, where the table names a user; else none.
    Own,
    /// Every row.
    All,
}

impl Caller {
    /// Every caller, the one that may least first.
    pub const ALL: [Self; 6] = [
        Self::Anonymous,
        Self::User,
        Self::Viewer,
        Self::Responder,
        Self::Admin,
        Self::Server,
    ];

    /// How it is called.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anon",
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Admin => "admin",
            Self::Server => "server",
        }
    }

    /// What it may do with a table of ours: `s`elect, `i`nsert, `u`pdate, `d`elete and
    /// `t`runcate, with a dash for each that is refused.
    #[must_use]
    pub fn may(self, table: Server) -> &'static str {
        if self != Self::Server {
            return "-----";
        }
        match table {
            Server::Whole => "siud-",
            Server::Reads => "s----",
            Server::OneColumn | Server::Nothing => "-----",
        }
    }

    /// The same of a table of the application's, but for truncation, which is the application's
    /// own matter. Which rows a reader sees, [`rows`](Self::rows) says.
    #[must_use]
    pub fn may_in_app(self) -> &'static str {
        match self {
            Self::Anonymous => "----",
            Self::User | Self::Viewer | Self::Responder | Self::Admin => "s---",
            Self::Server => "siud",
        }
    }

    /// What it reads of a table of the application's.
    #[must_use]
    pub fn rows(self) -> Rows {
        match self {
            Self::Anonymous => Rows::Refused,
            Self::User | Self::Viewer | Self::Responder => Rows::Own,
            Self::Admin | Self::Server => Rows::All,
        }
    }
}
