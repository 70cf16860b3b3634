//! All endpoints, the static files and `/_local` on one port.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use local_supabase::{capture::answers::CallBack, stack::Stack};
use ops::{
    auth::ClientAddress, config::Config, edge::Edge, endpoint::Endpoint, function::RequestId,
    router,
};
use uuid::Uuid;

use super::{
    compression,
    files::Files,
    newcomer::{self, Newcomer},
    routes::Routes,
};

/// The deployment as one server answers it.
pub(super) struct Site {
    routes: Routes,
    files: Files,
    functions: Vec<(Endpoint, Edge)>,
    stack: Arc<Stack>,
    newcomer: Option<Newcomer>,
    base_url: String,
}

/// Where a person answers on a channel.
const ANSWERS: &str = "/_local/answers";

impl Site {
    /// One instance of every function, configured by those variables.
    pub(super) fn new(
        routes: Routes,
        variables: &BTreeMap<String, String>,
        stack: Arc<Stack>,
        newcomer: Option<Newcomer>,
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
            newcomer,
            base_url: variables.get("BASE_URL").cloned().unwrap_or_default(),
        }
    }

    /// Answers a request as the platform would, `POST /_local/answers` as the function does
    /// that a provider tells of it, and the newcomer's link as the sign-in does.
    pub(super) async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        if request.method() == Method::POST && request.uri().path() == ANSWERS {
            return match self.stack.called_back(request.body(), &self.base_url) {
                Ok(called) => self.deployed(provider_request(called)).await,
                Err(problem) => *problem,
            };
        }
        let sign_in = self
            .newcomer
            .as_ref()
            .and_then(|newcomer| newcomer.sign_in(&request));
        if let Some(sign_in) = sign_in {
            return newcomer::onwards(self.deployed(sign_in).await);
        }
        if let Some(response) = self.stack.local_routes(&request).await {
            return response;
        }
        self.deployed(request).await
    }

    async fn deployed(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        let takes_gzip = compression::is_wanted(request.headers());
        let function = self.routes.endpoint(&path).and_then(|endpoint| {
            self.functions
                .iter()
                .find(|(served, _)| *served == endpoint)
        });
        let mut response = if let Some((endpoint, edge)) = function {
            edge.answer(invocation(*endpoint, request)).await
        } else {
            let rewritten = self.routes.rewritten(&path);
            self.files.answer(request.method(), &path, rewritten).await
        };
        dress(
            &mut response,
            &self.routes.headers(&path),
            function.is_some(),
        );
        if takes_gzip {
            compression::compress(&mut response);
        }
        response
    }
}

fn provider_request(CallBack { url, headers, body }: CallBack) -> Request<Bytes> {
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    if let Ok(url) = url.parse() {
        *request.uri_mut() = url;
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            request.headers_mut().insert(name, value);
        }
    }
    request
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
