//! What look and visit show, and whether it is true. They are one program: Cargo runs test programs one after the other,
//! and these tests mostly wait.

#[cfg(target_os = "linux")]
mod look;
mod visit;
