//! The tools of an observer look at a server from outside, as its clients do. They are programs: `judge` says whether
//! a server does what its step asks, `visit` plays the clients that it meets, and `look` draws what the system knows
//! of a port. This library holds what they share.

pub mod arguments;
pub mod client;
pub mod malformed;
#[cfg(target_os = "linux")] // No other system shows as much.
pub mod port;
