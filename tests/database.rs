//! The database itself, on a real PostgreSQL: migrations, roles, the state
//! machine, the tick, the outbox, uptime and the dashboard.
//!
//! Every test has a database of its own and names its dates.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

#[path = "database/access.rs"]
mod access;
#[path = "database/acknowledge.rs"]
mod acknowledge;
#[path = "database/alerts.rs"]
mod alerts;
#[path = "database/audit.rs"]
mod audit;
#[path = "database/backups.rs"]
mod backups;
#[path = "database/catalog.rs"]
mod catalog;
#[path = "database/changes.rs"]
mod changes;
#[path = "database/channels.rs"]
mod channels;
#[path = "database/checks.rs"]
mod checks;
#[path = "database/contacts.rs"]
mod contacts;
#[path = "database/dashboard.rs"]
mod dashboard;
#[path = "database/dashboard_app.rs"]
mod dashboard_app;
#[path = "database/dashboard_operation.rs"]
mod dashboard_operation;
#[path = "database/definition_specs.rs"]
mod definition_specs;
#[path = "database/definitions.rs"]
mod definitions;
#[path = "database/delivery.rs"]
mod delivery;
#[path = "database/dependencies.rs"]
mod dependencies;
#[path = "database/emergency.rs"]
mod emergency;
#[path = "database/escalation.rs"]
mod escalation;
#[path = "database/events.rs"]
mod events;
#[path = "database/failing_channels.rs"]
mod failing_channels;
#[path = "database/failover.rs"]
mod failover;
#[path = "database/failover_model.rs"]
mod failover_model;
#[path = "database/flapping.rs"]
mod flapping;
#[path = "database/grouping.rs"]
mod grouping;
#[path = "database/heartbeats.rs"]
mod heartbeats;
#[path = "database/holds.rs"]
mod holds;
#[path = "database/incident_actions.rs"]
mod incident_actions;
#[path = "database/incident_cause.rs"]
mod incident_cause;
#[path = "database/incident_figures.rs"]
mod incident_figures;
#[path = "database/incidents.rs"]
mod incidents;
#[path = "database/ladder.rs"]
mod ladder;
#[path = "database/letters.rs"]
mod letters;
#[path = "database/links.rs"]
mod links;
#[path = "database/maintenance.rs"]
mod maintenance;
#[path = "database/migrations.rs"]
mod migrations;
#[path = "database/model/mod.rs"]
mod model;
#[path = "database/muting.rs"]
mod muting;
#[path = "database/noticed.rs"]
mod noticed;
#[path = "database/objectives.rs"]
mod objectives;
#[path = "database/people.rs"]
mod people;
#[path = "database/plans.rs"]
mod plans;
#[path = "database/proof.rs"]
mod proof;
#[path = "database/raised.rs"]
mod raised;
#[path = "database/reminders.rs"]
mod reminders;
#[path = "database/replay.rs"]
mod replay;
#[path = "database/replay_history.rs"]
mod replay_history;
#[path = "database/reports.rs"]
mod reports;
#[path = "database/restores.rs"]
mod restores;
#[path = "database/rollups.rs"]
mod rollups;
#[path = "database/runs.rs"]
mod runs;
#[path = "database/scheduler.rs"]
mod scheduler;
#[path = "database/security.rs"]
mod security;
#[path = "database/settings.rs"]
mod settings;
#[path = "database/silences.rs"]
mod silences;
#[path = "database/step.rs"]
mod step;
#[path = "database/storm.rs"]
mod storm;
#[path = "database/support.rs"]
mod support;
#[path = "database/tick.rs"]
mod tick;
#[path = "database/traffic.rs"]
mod traffic;
#[path = "database/uptime.rs"]
mod uptime;
#[path = "database/watching.rs"]
mod watching;
