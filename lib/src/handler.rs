//! What answers a request: handlers, each bound to the route whose callers it is
//! written for.
//!
//! A handler takes its caller as an argument, and the only way to a caller is the
//! proof that its route asks for ([`auth`](crate::auth)). So a handler that forgets
//! to ask does not compile, and neither does one that expects another caller than
//! the table of endpoints names.

use std::fmt::Debug;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{
    app::App,
    auth::{Caller, Gate},
    endpoint::{Endpoint, Route},
    problem::Problem,
};
use outside::clock::Deadline;

/// What a request comes to.
pub type Answer = Result<Response<Bytes>, Problem>;

/// The work behind a route, for callers of kind `C`. It owns what an instance
/// remembers between its requests, none of which has to survive.
pub(crate) trait Handler<C: Caller>: Debug + Send + Sync + 'static {
    /// Answers a caller whose proof was right.
    fn handle(
        &self,
        app: &App,
        caller: C,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> impl Future<Output = Answer> + Send;
}

/// The handlers of one endpoint.
#[derive(Debug)]
pub struct Routes {
    endpoint: Endpoint,
    bound: Vec<Box<dyn Bound>>,
}

impl Routes {
    /// An endpoint whose first, and perhaps only, route is this one.
    #[must_use]
    pub(crate) fn new<C: Caller>(route: Route<C>, handler: impl Handler<C>) -> Self {
        Self {
            endpoint: route.endpoint,
            bound: vec![Box::new(Binding { route, handler })],
        }
    }

    /// The same endpoint with another route of it.
    #[must_use]
    pub(crate) fn and<C: Caller>(mut self, route: Route<C>, handler: impl Handler<C>) -> Self {
        debug_assert_eq!(self.endpoint, route.endpoint, "a route of another endpoint");
        self.bound.push(Box::new(Binding { route, handler }));
        self
    }

    /// Which endpoint they answer.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The methods that are answered, in the order of the table.
    #[must_use]
    pub fn methods(&self) -> Vec<Method> {
        let methods = self.bound.iter().flat_map(|bound| bound.methods());
        methods.cloned().collect()
    }

    /// Answers a request, in this order: the method has to exist, the body has to
    /// be small enough, the caller has to prove who it is.
    pub(crate) async fn answer(&self, app: &App, gate: &Gate, request: Request<Bytes>) -> Answer {
        let bound = self
            .bound
            .iter()
            .find(|bound| bound.methods().contains(request.method()))
            .ok_or_else(|| Problem::MethodNotAllowed(self.methods()))?;
        let limit = self.endpoint.spec().body_limit;
        if limit > 0 && request.body().len() > limit {
            return Err(Problem::PayloadTooLarge(limit));
        }
        let deadline = Deadline::after(self.endpoint.time_budget());
        bound.answer(app, gate, request, deadline).await
    }
}

/// A route and its handler, whatever kind of caller they agree on.
trait Bound: Debug + Send + Sync {
    fn methods(&self) -> &'static [Method];

    fn answer<'a>(
        &'a self,
        app: &'a App,
        gate: &'a Gate,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Answer>;
}

#[derive(Debug)]
struct Binding<C, H> {
    route: Route<C>,
    handler: H,
}

impl<C: Caller, H: Handler<C>> Bound for Binding<C, H> {
    fn methods(&self) -> &'static [Method] {
        self.route.methods
    }

    fn answer<'a>(
        &'a self,
        app: &'a App,
        gate: &'a Gate,
        request: Request<Bytes>,
        deadline: Deadline,
    ) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let caller = gate
                .admit::<C>(&app.config, &app.outbound, &request, deadline)
                .await?;
            self.handler.handle(app, caller, request, deadline).await
        })
    }
}

/// A JSON answer.
///
/// # Errors
/// 500 if the value cannot be written, which is our fault.
pub(crate) fn json<T: serde::Serialize>(status: StatusCode, value: &T) -> Answer {
    let body = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        Problem::Internal
    })?;
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;
    use crate::{auth::Operator, config::Config};

    const KEY: &str = "key-of-sixteen-letters";

    /// Answers whoever comes through.
    #[derive(Debug)]
    struct Welcomes;

    impl Handler<Operator> for Welcomes {
        async fn handle(
            &self,
            _: &App,
            Operator: Operator,
            _: Request<Bytes>,
            _: Deadline,
        ) -> Answer {
            json(StatusCode::OK, &"welcome")
        }
    }

    async fn answer(method: Method, size: usize, proof: &str) -> StatusCode {
        let config =
            Config::from_lookup(&|name| (name == "MONITORING_API_KEY").then(|| KEY.to_owned()));
        let mut request = Request::new(Bytes::from(vec![b' '; size]));
        *request.method_mut() = method;
        let proof = format!("Bearer {proof}").parse().unwrap();
        request.headers_mut().insert(AUTHORIZATION, proof);
        let routes = Routes::new(Route::RAISE, Welcomes);
        let (app, gate) = (App::new(config), Gate::default());
        match routes.answer(&app, &gate, request).await {
            Ok(response) => response.status(),
            Err(problem) => problem.status(),
        }
    }

    #[tokio::test]
    async fn a_request_is_judged_by_its_method_then_its_size_then_its_caller() {
        let limit = Endpoint::Dispatch.spec().body_limit;
        for (method, size, proof, expected) in [
            (
                Method::DELETE,
                limit + 1,
                "wrong",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            (
                Method::POST,
                limit + 1,
                "wrong",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            (Method::POST, limit, "wrong", StatusCode::UNAUTHORIZED),
            (Method::POST, limit, KEY, StatusCode::OK),
        ] {
            let status = answer(method.clone(), size, proof).await;
            assert_eq!(status, expected, "{method} {size} {proof}");
        }
    }
}
