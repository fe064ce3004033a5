//! What the judge says, and whether it is true. One program, so that its tests wait side by side.

mod faults;
mod run;
mod stages;
mod support;
