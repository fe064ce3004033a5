//! What the judge says, and whether it is true. One program, so that its tests wait side by side.

mod run;
mod stages;
mod support;
mod verdicts;
