//! The tests of the pages, and of the program that shows them. They are one program: Cargo runs test programs one after
//! the other, and these tests mostly wait.

#[cfg(target_os = "linux")]
mod commands;
mod complaints;
mod course;
mod haproxy;
mod pages;
mod rules;
