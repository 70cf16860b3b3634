//! The router on top: the one file that knows every domain.
//!
//! It is for servers that serve several endpoints. A function's own binary names
//! the routes of its endpoint alone, so that it links no other domain.

use crate::{
    account, alerts, app::App, backups, config::Config, endpoint::Endpoint, function::Function,
    handler::Routes, health, ingest, monitoring, status,
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
        Endpoint::Ingest => ingest::routes(),
        Endpoint::Account => account::routes(),
        Endpoint::Status => status::routes(),
    }
}

/// A fresh instance of an endpoint's function.
#[must_use]
pub fn function(endpoint: Endpoint, config: Config) -> Function {
    Function::new(App::new(config), routes(endpoint))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Method, Request, header};

    use super::*;
    use crate::{auth::ClientAddress, endpoint::Limit, media_type};

    #[test]
    fn every_endpoint_is_answered_by_routes_of_its_own() {
        for endpoint in Endpoint::ALL {
            assert_eq!(routes(endpoint).endpoint(), endpoint);
        }
    }

    /// Everything that callers can prove themselves with; nobody listens where the
    /// database should be, so that asking it would be seen as a 503.
    fn config() -> Config {
        Config::from_lookup(&|name| {
            let value = match name {
                "SUPABASE_URL" => "http://127.0.0.1:9",
                "SUPABASE_SECRET_KEY" => "sb_secret_x",
                "SUPABASE_PUBLISHABLE_KEY" => "sb_publishable_x",
                "CRON_SECRET" => "cron-secret-of-sixteen",
                "MONITORING_API_KEY" => "monitoring-key-of-sixteen",
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    /// A request whose proof is wrong in every place where an endpoint looks for one.
    fn wrong(method: &Method, content_type: &str, client: &str) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri("/?token=wrong")
            .header(header::AUTHORIZATION, "Bearer wrong")
            .header(header::CONTENT_TYPE, content_type)
            .extension(ClientAddress(client.to_owned()))
            .body(Bytes::from_static(b"token=wrong"))
            .unwrap()
    }

    #[tokio::test]
    async fn the_thirty_first_wrong_proof_is_429_at_every_endpoint_and_asks_no_database() {
        for endpoint in Endpoint::ALL {
            assert!(endpoint.spec().limits.contains(&Limit::WrongProofs));
            for method in routes(endpoint).methods() {
                for content_type in [media_type::JSON, media_type::FORM] {
                    let function = function(endpoint, config());
                    let what = format!("{method} {endpoint:?} {content_type}");
                    for number in 0..30 {
                        // A network of version 6 has as many addresses as it likes.
                        let client = format!("2001:db8:0:7::{number:x}");
                        let answer = function.handle(wrong(&method, content_type, &client)).await;
                        let status = answer.status();
                        let refused = status.is_client_error() && status != 429;
                        assert!(refused, "{what}, wrong proof {number}: {status}");
                    }
                    let limited = function
                        .handle(wrong(&method, content_type, "2001:db8:0:7:ffff::1"))
                        .await;
                    assert_eq!(limited.status(), 429, "{what}");
                    let wait = limited.headers()[header::RETRY_AFTER].to_str().unwrap();
                    let wait: u64 = wait.parse().unwrap();
                    assert!((1..=60).contains(&wait), "{what}: {wait} s");
                    let other = function
                        .handle(wrong(&method, content_type, "2001:db8:0:8::1"))
                        .await;
                    assert_ne!(other.status(), 429, "{what}: another network");
                }
            }
        }
    }
}
