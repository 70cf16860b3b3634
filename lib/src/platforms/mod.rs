//! The platforms that an app and this bundle stand on, as their owners' APIs show and
//! change them: Vercel, GitHub, Supabase.
//!
//! [`api`] is how each is spoken to: one request with a token, what is read tried again,
//! what changes something sent once. Each platform is a client of its own beside it.

pub mod api;
pub mod github;
pub mod supabase;
pub mod vercel;
