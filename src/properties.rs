//! How tests of what holds for every input are run: few cases unless `PROPTEST_CASES` says more, and an input
//! that has failed is kept beside the source, in a file that ends with `.regressions`.

use proptest::test_runner::{Config, FileFailurePersistence};

pub(crate) fn config(cases: u32) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")));
    config
}
