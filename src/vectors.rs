//! Reads the known answers of `tests/vectors` for the unit tests.

use serde_json::Value;

/// The whole file.
pub(crate) fn file(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Runs a test for each row of `vectors`; a file without rows fails.
pub(crate) fn each(name: &str, test: impl FnMut(Value)) {
    let mut file = file(name);
    let Value::Array(rows) = file["vectors"].take() else {
        panic!("{name} has no vectors")
    };
    assert!(!rows.is_empty(), "{name} has no vectors");
    rows.into_iter().for_each(test);
}
