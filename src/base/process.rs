//! What each process has for itself: connections, threads and locks do not survive a `fork`.
//!
//! A child gets a copy of its parent's memory, but only the thread that forked. A lock that another thread held stays
//! locked for ever in the child, what it guards may be half changed, and connections are shared with the parent.

use std::sync::Arc;

use once_cell::race::OnceBox;

/// A value that each process makes for itself.
///
/// To find it costs one `getpid`. Nothing here waits: a child finds its place free, or taken by another of its own
/// threads, whatever its parent was doing at the fork.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    first: Node<T>,
}

/// The value of one process. Its children's come after it: the chain is as long as there were forks in a row.
#[derive(Debug)]
struct Node<T> {
    process: u32,
    value: Arc<T>,
    next: OnceBox<Node<T>>,
}

impl<T> PerProcess<T> {
    /// With the value of this process.
    pub(crate) fn new(value: T) -> PerProcess<T> {
        PerProcess {
            first: Node::new(this_process(), value),
        }
    }

    /// The value of this process. In a child that has none yet it is made of the one that the child inherited, which must
    /// not be waited for.
    pub(crate) fn get(&self, make: impl FnOnce(&T) -> T) -> &T {
        self.get_in(this_process(), make)
    }

    /// The same for who knows already which process this is.
    pub(crate) fn get_in(&self, process: u32, make: impl FnOnce(&T) -> T) -> &T {
        let mut node = &self.first;
        while node.process != process {
            match node.next.get() {
                Some(next) => node = next,
                None => {
                    let own = || Box::new(Node::new(process, make(&node.value)));
                    // That of another thread if it was faster, which can only be one of this process.
                    return &node.next.get_or_init(own).value;
                }
            }
        }
        &node.value
    }
}

impl<T: Default> Default for PerProcess<T> {
    fn default() -> PerProcess<T> {
        PerProcess::new(T::default())
    }
}

impl<T> Node<T> {
    fn new(process: u32, value: T) -> Node<T> {
        Node {
            process,
            value: Arc::new(value),
            next: OnceBox::new(),
        }
    }
}

impl<T> Drop for Node<T> {
    /// What a parent was in the middle of changing cannot be taken apart, so a child keeps it.
    fn drop(&mut self) {
        if self.process != this_process() {
            std::mem::forget(self.value.clone());
        }
    }
}

/// The process that runs this.
pub(crate) fn this_process() -> u32 {
    #[cfg(test)]
    if let Some(process) = tests::PRETENDED.get() {
        return process;
    }
    std::process::id()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, Mutex};
    use std::thread;

    use super::*;

    thread_local! {
        pub(super) static PRETENDED: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// Runs this as if the thread were that of a child.
    pub(crate) fn as_child<R>(process: u32, body: impl FnOnce() -> R) -> R {
        let before = PRETENDED.replace(Some(process));
        let result = body();
        PRETENDED.set(before);
        result
    }

    #[test]
    fn each_process_makes_its_value_once_of_the_one_that_it_inherits() {
        let value = PerProcess::new(vec!["parent"]);
        let get = |process, name| {
            as_child(process, || {
                let inherit = |inherited: &Vec<_>| [&inherited[..], &[name]].concat();
                value.get(inherit).clone()
            })
        };
        assert_eq!(get(1, "child"), ["parent", "child"]);
        assert_eq!(get(1, "child again"), ["parent", "child"]);
        assert_eq!(get(2, "grandchild"), ["parent", "child", "grandchild"]);
        assert_eq!(get(1, "child again"), ["parent", "child"]);
        assert_eq!(value.get(|_| unreachable!()), &["parent"]);
    }

    #[test]
    fn threads_of_a_child_agree_on_one_value() {
        const THREADS: usize = 8;
        let (value, begin) = (PerProcess::new(0), Barrier::new(THREADS));
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| {
                scope.spawn(|| {
                    as_child(1, || {
                        begin.wait();
                        *value.get(|_| 1 + made.fetch_add(1, Ordering::Relaxed))
                    })
                })
            });
            let mut found = threads.map(|thread| thread.join().unwrap());
            found.sort_unstable();
            assert!(found[0] > 0 && found[0] == found[THREADS - 1], "{found:?}");
        });
    }

    #[test]
    fn a_child_waits_for_no_lock_of_its_parent_and_drops_nothing_of_it() {
        struct Counted<'a>(&'a AtomicUsize, Mutex<()>);
        impl Drop for Counted<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let (parents, childs) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let value = PerProcess::new(Counted(&parents, Mutex::default()));
        let held = value.get(|_| unreachable!()).1.lock().unwrap();
        as_child(1, || {
            let own = value.get(|_| Counted(&childs, Mutex::default()));
            drop(own.1.lock().unwrap());
        });
        drop(held);
        as_child(1, || drop(value));
        let dropped = [&parents, &childs].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(dropped, [0, 1]);
    }
}
