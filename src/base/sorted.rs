//! Sorting a few names.

use std::cmp::Ordering;

/// In the order of `compare`; what is equal stays in its order. For headers, parameters and the like, of which there are
/// few: the standard library's sort is quick with a million of them, and 5 KB of machine code for every type.
pub(crate) fn sorted_by<T>(
    items: impl Iterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    // Once and for all, as a rule.
    let mut sorted: Vec<T> = Vec::with_capacity(items.size_hint().1.unwrap_or_default());
    for item in items {
        let place = sorted.partition_point(|earlier| compare(earlier, &item).is_le());
        sorted.insert(place, item);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_the_standard_library_says() {
        let mut random = fastrand::Rng::with_seed(7);
        for len in 0..50 {
            // Few names, so that many are equal; the number tells those apart.
            let items: Vec<(u8, usize)> = (0..len).map(|i| (random.u8(..8), i)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let sorted = sorted_by(items.into_iter(), |a, b| a.0.cmp(&b.0));
            assert_eq!(sorted, expected);
        }
    }
}
