//! An OSS-compatible server for tests and for the laptop.
