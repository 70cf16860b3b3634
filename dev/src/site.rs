//! All endpoints, the static files and `/_local` on one port.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use local_supabase::stack::Stack;
use ops::{
    auth::ClientAddress, config::Config, edge::Edge, endpoint::Endpoint, function::RequestId,
    router,
};
use uuid::Uuid;

use super::{files::Files, routes::Routes};

/// The deployment as one server answers it.
pub(super) struct Site {
    routes: Routes,
    files: Files,
    functions: Vec<(Endpoint, Edge)>,
    stack: Arc<Stack>,
}

impl Site {
    /// One instance of every function, configured by those variables.
    pub(super) fn new(
        routes: Routes,
        variables: &BTreeMap<String, String>,
        stack: Arc<Stack>,
    ) -> Self {
        let function = |endpoint| {
            let config = Config::from_lookup(&|name| variables.get(name).cloned())
                .with_check_variables(variables.clone());
            (endpoint, Edge::new(router::function(endpoint, config)))
        };
        Self {
            routes,
            files: Files::find(),
            functions: Endpoint::ALL.map(function).into(),
            stack,
        }
    }

    /// Answers a request as the platform would.
    pub(super) async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        if let Some(response) = self.stack.local_routes(&request).await {
            return response;
        }
        let path = request.uri().path().to_owned();
        let function = self.routes.endpoint(&path).and_then(|endpoint| {
            self.functions
                .iter()
                .find(|(served, _)| *served == endpoint)
        });
        let mut response = match function {
            Some((endpoint, edge)) => edge.answer(invocation(*endpoint, request)).await,
            None => self.files.answer(request.method(), &path).await,
        };
        dress(
            &mut response,
            &self.routes.headers(&path),
            function.is_some(),
        );
        response
    }
}

/// A request as the edge hands it to a function: with an id, with the client's
/// address, and with no more of the body than it can want.
fn invocation(endpoint: Endpoint, request: Request<Bytes>) -> Request<Bytes> {
    let limit = endpoint.spec().body_limit;
    let most = if limit == 0 { 0 } else { limit + 1 };
    let mut request = request.map(|body| body.slice(..body.len().min(most)));
    let peer = request
        .extensions()
        .get::<SocketAddr>()
        .map(|peer| peer.ip().to_string());
    let extensions = request.extensions_mut();
    extensions.insert(RequestId(Uuid::new_v4().to_string()));
    extensions.insert(ClientAddress(peer.unwrap_or_default()));
    request
}

/// Adds the rules' headers. What a function says itself counts more; a static
/// file says nothing itself.
fn dress(response: &mut Response<Bytes>, rules: &HeaderMap, is_function: bool) {
    let headers = response.headers_mut();
    for (name, value) in rules {
        if !(is_function && headers.contains_key(name)) {
            headers.insert(name, value.clone());
        }
    }
}
