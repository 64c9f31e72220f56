//! The examples in Rust and in C do what their first lines say.

mod c_programs;
mod callback;
mod rust_programs;
