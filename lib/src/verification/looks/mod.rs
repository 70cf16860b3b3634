//! The looks: each judges one thing in what was answered, and reaches out for nothing.

mod backup;
mod caching;
mod certificate;
mod configuration;
mod crons_declared;
mod crons_running;
mod dashboard;
mod dashboard_closed;
mod database;
mod doors;
mod drill;
mod encryption;
mod environment;
mod headers;
mod health;
mod load;
mod messages;
mod pin;
mod previews;
mod project;
mod protection;
mod provider_backups;
mod reachable;
mod release;
mod services;
mod sources;
mod standalone;
mod status_page;

pub(super) use headers::promised_headers;

use super::{look::Look, subject::Project};

const OPS: &[Project] = &[Project::Ops];
const BOTH: &[Project] = &[Project::Ops, Project::App];

/// Every one, in the order in which to read them.
pub(super) const ALL: &[Look] = &[
    encryption::LOOK,
    reachable::LOOK,
    protection::LOOK,
    certificate::LOOK,
    headers::LOOK,
    health::LOOK,
    database::LOOK,
    services::LOOK,
    dashboard::LOOK,
    messages::LOOK,
    caching::LOOK,
    project::LOOK,
    environment::LOOK,
    release::LOOK,
    configuration::LOOK,
    dashboard_closed::LOOK,
    doors::LOOK,
    sources::LOOK,
    crons_declared::LOOK,
    crons_running::LOOK,
    previews::LOOK,
    backup::LOOK,
    drill::LOOK,
    provider_backups::LOOK,
    load::LOOK,
    status_page::LOOK,
    pin::LOOK,
    standalone::LOOK,
];
