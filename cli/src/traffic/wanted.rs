//! What a change of traffic is to bring about.

/// What is to serve, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    /// The deployment.
    pub(crate) deployment: String,
    /// Why, which Vercel keeps with a rollback.
    pub(crate) reason: String,
}

/// How a deployment comes to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is promoted: later releases follow it.
    Promote,
    /// It is gone back to: later releases do not follow.
    Rollback,
    /// It is promoted so that later releases follow again.
    Release,
}
