//! How a request fails, told apart by what an operator would do.

use std::{error::Error, fmt};

use crate::{error_chain::causes, tls};

/// Why a request got no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No answer in time.
    Timeout,
    /// The name does not resolve.
    Dns,
    /// The name or the URL stands for an address out of reach.
    Private,
    /// Nothing listens there, or it cannot be reached.
    Connect,
    /// The certificate or the handshake was refused.
    Tls,
    /// The connection ended before the answer did.
    Reset,
    /// The answer is larger than it may be.
    TooLarge,
    /// The request could not be made.
    Request,
}

impl Failure {
    /// The failure behind an error of the client.
    #[must_use]
    pub fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        if tls::objection(error).is_some() {
            return Self::Tls;
        }
        // What our own resolver said.
        if let Some(failure) = causes(error).find_map(|cause| cause.downcast_ref::<Self>()) {
            return *failure;
        }
        if error.is_connect() {
            // These errors have no public types; their texts are stable.
            let said = |text| causes(error).any(|cause| cause.to_string().contains(text));
            return if said("dns error") {
                Self::Dns
            } else if said("tls handshake eof") {
                Self::Tls
            } else {
                Self::Connect
            };
        }
        if error.is_builder() {
            return Self::Request;
        }
        Self::Reset
    }

    /// The stable word that samples and logs carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::Private => "private_address",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::TooLarge => "too_large",
            Self::Request => "request",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Timeout => "no answer in time",
            Self::Dns => "the name does not resolve",
            Self::Private => "the address is private",
            Self::Connect => "cannot connect",
            Self::Tls => "the TLS handshake failed",
            Self::Reset => "the connection ended early",
            Self::TooLarge => "the answer is too large",
            Self::Request => "the request cannot be made",
        })
    }
}

impl Error for Failure {}
