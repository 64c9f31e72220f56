//! Writes the C header when the `capi` feature is on.

fn main() {}
