//! The database itself, on a real PostgreSQL: migrations, roles, the state
//! machine, the tick, the outbox, uptime and the dashboard.
//!
//! Every test has a database of its own and names its dates.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod acknowledge;
mod alerts;
mod applying;
mod audit;
mod backup_copies;
mod backups;
mod blind_spans;
mod bodies;
mod catalog;
mod changes;
mod changing_statements;
mod channels;
mod check_ins;
mod check_runs;
mod checks;
mod clocks;
mod closed_words;
mod contacts;
mod costs;
mod dashboard;
mod dashboard_app;
mod dashboard_operation;
mod dashboard_series;
mod definition_specs;
mod definitions;
mod delivery;
mod dependencies;
mod deployments;
mod door;
mod door_figures;
mod drills;
mod emergency;
mod escalation;
mod events;
mod exchange;
mod exercises;
mod exported;
mod failing_channels;
mod failover;
mod failover_model;
mod feedback;
mod figures;
mod figures_model;
mod flapping;
mod funnels;
mod funnels_model;
mod grouping;
mod heartbeats;
mod holds;
mod incident_actions;
mod incident_cause;
mod incident_figures;
mod incidents;
mod issues;
mod ladder;
mod letters;
mod links;
mod maintenance;
mod many_alerts;
mod metrics;
mod migrations;
mod migrator;
mod model;
mod muting;
mod noticed;
mod objectives;
mod odd_numbers;
mod oncall;
mod oncall_calendar;
mod oncall_feed;
mod oncall_ladder;
mod oncall_year;
mod people;
mod period_reports;
mod permissions;
mod plans;
mod platform_readings;
mod privacy;
mod proof;
mod push_devices;
mod raised;
mod readable_definitions;
mod reminders;
mod replay;
mod replay_history;
mod reports;
mod restores;
mod retention;
mod retention_model;
mod rollups;
mod row_security;
mod runs;
mod scheduler;
mod security;
mod server_statistics;
mod settings;
mod sign_in;
mod silences;
mod source_maps;
mod stakeholders;
mod status;
mod status_subscribers;
mod step;
mod storm;
mod strangers;
mod support;
mod table_files;
mod tick;
mod toy;
mod traffic;
mod untold;
mod uptime;
mod watching;
mod ways;

use local_supabase::chance;
