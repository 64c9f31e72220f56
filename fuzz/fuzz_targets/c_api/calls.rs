//! A call for each function of the header, written by build.rs.

#![allow(
    clippy::all,
    non_snake_case,
    unused_variables,
    reason = "written by a program"
)]

use std::ffi::{c_char, c_int, c_void};

use super::hooks;
use super::program::Program;

/// A function, and how a program calls it.
pub struct Call {
    pub name: &'static str,
    /// The handle that it gives out.
    pub makes: Option<&'static str>,
    /// The handle that it takes back.
    pub frees: Option<&'static str>,
    pub run: fn(&mut Program<'_>),
}

include!(concat!(env!("OUT_DIR"), "/calls.rs"));
