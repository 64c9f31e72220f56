//! What takes too long for every run: a file of 6 GiB, and a million uploads.
#![cfg(target_os = "linux")]

mod large_file;
mod long_run;
