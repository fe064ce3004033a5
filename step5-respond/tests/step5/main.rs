//! The tests of step 5. They are one program: Cargo runs test programs one after the other, and these tests mostly wait.

mod browser;
mod examples;
mod respond;
mod serve;
