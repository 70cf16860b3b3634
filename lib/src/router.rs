//! The router on top: the one file that knows every domain.
//!
//! It is for servers that serve several endpoints. A function's own binary names
//! the routes of its endpoint alone, so that it links no other domain.

use crate::{
    alerts, app::App, backups, config::Config, endpoint::Endpoint, function::Function,
    handler::Routes, health, monitoring,
};

/// What answers an endpoint.
#[must_use]
pub fn routes(endpoint: Endpoint) -> Routes {
    match endpoint {
        Endpoint::Health => health::routes(),
        Endpoint::Dashboard => monitoring::dashboard::routes(),
        Endpoint::Monitor => monitoring::routes(),
        Endpoint::Dispatch => alerts::routes(),
        Endpoint::Acknowledge => alerts::acknowledge::routes(),
        Endpoint::Backup => backups::routes(),
        Endpoint::Maintenance => monitoring::maintenance::routes(),
        Endpoint::Heartbeat => monitoring::heartbeat::routes(),
    }
}

/// A fresh instance of an endpoint's function.
#[must_use]
pub fn function(endpoint: Endpoint, config: Config) -> Function {
    Function::new(App::new(config), routes(endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_answered_by_routes_of_its_own() {
        for endpoint in Endpoint::ALL {
            assert_eq!(routes(endpoint).endpoint(), endpoint);
        }
    }
}
