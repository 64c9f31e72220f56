//! An access key secret, and the key of the day that is made of it.

use std::sync::{Mutex, PoisonError, TryLockError};

/// Has no `Debug`: neither the text nor the key is ever shown.
pub(crate) struct Secret {
    text: String,
    /// The last one: a client has one region, and a day at a time.
    key: Mutex<Option<Key>>,
}

/// The key of a day, a region and a product. Making it takes four times as long as signing with it.
struct Key {
    of: [String; 3],
    bytes: [u8; 32],
}

impl Secret {
    pub(super) fn new(text: String) -> Secret {
        Secret {
            text,
            key: Mutex::new(None),
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The key of these day, region and product, made once for all requests that follow each other with the same.
    ///
    /// Making it takes less than waiting, and in the child of a fork the lock may be held for ever.
    pub(crate) fn key_of(&self, of: [&str; 3], make: impl FnOnce(&str) -> [u8; 32]) -> [u8; 32] {
        let mut key = match self.key.try_lock() {
            Ok(key) => key,
            Err(TryLockError::Poisoned(key)) => PoisonError::into_inner(key),
            Err(TryLockError::WouldBlock) => return make(&self.text),
        };
        match &*key {
            Some(key) if key.of == of => key.bytes,
            _ => {
                let bytes = make(&self.text);
                let of = of.map(str::to_owned);
                *key = Some(Key { of, bytes });
                bytes
            }
        }
    }
}

/// The secret; whoever gets the copy makes its own key.
impl Clone for Secret {
    fn clone(&self) -> Secret {
        Secret::new(self.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_what_it_is_of() {
        let secret = Secret::new("geheim".to_owned());
        let made = std::cell::Cell::new(0);
        let key_of = |secret: &Secret, of| {
            secret.key_of(of, |text| {
                assert_eq!(text, "geheim");
                made.set(made.get() + 1);
                [made.get(); 32]
            })
        };
        let day = ["20261124", "cn-hangzhou", "oss"];
        for (of, makes) in [
            (day, 1),
            (day, 1),
            // After midnight, and with each other thing that it is of.
            (["20261125", "cn-hangzhou", "oss"], 2),
            (["20261125", "cn-hangzhou", "oss"], 2),
            (["20261125", "cn-beijing", "oss"], 3),
            (["20261125", "cn-beijing", "oss-cloudbox"], 4),
            // A clock that was set back.
            (day, 5),
            (day, 5),
        ] {
            assert_eq!((key_of(&secret, of), made.get()), ([makes; 32], makes));
        }
        assert_eq!(key_of(&secret.clone(), day), [6; 32]);
        let held = secret.key.lock().unwrap();
        assert_eq!(key_of(&secret, day), [7; 32]);
        drop(held);
        assert_eq!(key_of(&secret, day), [5; 32]);
    }
}
