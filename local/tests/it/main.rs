//! The local stack's tests, in one binary so that they share one server.

// The modules are marked as tests because that is how lints know helpers of
// tests from code that ships.
#[cfg(test)]
mod client;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod running;
#[cfg(test)]
mod server;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod supabase;
#[cfg(test)]
mod support;
