//! Nothing: the tests are the program in which other crates want other features.
