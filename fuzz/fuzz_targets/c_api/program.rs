//! A program of calls while it runs: what it owns, what it has borrowed, and what the header promises of both.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::LazyLock;

use super::calls::{self, CALLS, Call};
use super::hooks::{DESTROY_HOOK, DestroyHook, Userdata};
use super::{choices, deliver};

/// What makes a handle may need others, which need others.
const MAX_DEPTH: usize = 5;

/// The functions that give a handle out, by its kind.
static MAKERS: LazyLock<HashMap<&str, Vec<&Call>>> = LazyLock::new(|| {
    let mut makers: HashMap<&str, Vec<&Call>> = HashMap::new();
    for call in CALLS {
        if let Some(kind) = call.makes {
            makers.entry(kind).or_default().push(call);
        }
    }
    makers
});

/// The functions that take handles back, by the handles' kind.
static FREES: LazyLock<HashMap<&str, &Call>> = LazyLock::new(|| {
    CALLS
        .iter()
        .filter_map(|call| Some((call.frees?, call)))
        .collect()
});

/// The functions, and what is none of the header's, in the order of their hashes.
static BY_HASH: LazyLock<Vec<(u32, &Call)>> = LazyLock::new(|| {
    let mut calls: Vec<_> = CALLS
        .iter()
        .chain([&deliver::DELIVER])
        .map(|call| (hash(call.name.as_bytes()), call))
        .collect();
    calls.sort_by_key(|(hash, _)| *hash);
    calls
});

/// FNV-1a. So a name stands for its function, whichever others there are, and any other word for some function.
fn hash(word: &[u8]) -> u32 {
    word.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// Whether the calls are shown: with `PROGRAM=1` one input says what it does.
static IS_SHOWN: LazyLock<bool> = LazyLock::new(|| std::env::var_os("PROGRAM").is_some());

/// A handle as an argument.
#[derive(Clone, Copy)]
pub struct Handle {
    pub pointer: *mut c_void,
    /// The handle that it lives as long as; 0 for NULL.
    root: u64,
}

impl Handle {
    const NULL: Handle = Handle {
        pointer: null_mut(),
        root: 0,
    };
}

struct Entry {
    kind: &'static str,
    handle: Handle,
    /// Ours to free; others belong to the handle that they were borrowed from.
    owned: bool,
}

/// Something that must stay as it is until its handle is freed or changed.
struct Borrow {
    root: u64,
    start: *const u8,
    copy: Vec<u8>,
}

impl Borrow {
    fn check(&self) {
        // SAFETY: as the header promises; AddressSanitizer says if it does not hold.
        let now = unsafe { std::slice::from_raw_parts(self.start, self.copy.len()) };
        assert_eq!(now, self.copy, "a borrowed text has changed");
    }
}

#[derive(Default)]
pub struct Program<'a> {
    /// What is left of the current line.
    rest: &'a [u8],
    entries: Vec<Entry>,
    borrows: Vec<Borrow>,
    /// How many handles there were.
    roots: u64,
    depth: usize,
    /// Of hooks that nobody tells that it is over.
    userdata: Vec<Box<Userdata>>,
    /// Everything that there is gets freed.
    freeing: bool,
}

impl<'a> Program<'a> {
    /// The next choice: 0 is good, also when nothing more is said.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                first.wrapping_sub(b'0')
            }
            None => 0,
        }
    }

    /// Up to so many of the next bytes.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Makes the call of a line.
    pub fn step(&mut self, line: &'a [u8]) {
        let end = line
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        let hash = hash(word);
        let index = BY_HASH.partition_point(|(other, _)| *other < hash);
        self.run(BY_HASH[index % BY_HASH.len()].1);
    }

    fn run(&mut self, call: &Call) {
        (call.run)(self);
        if *IS_SHOWN {
            eprintln!("call {}", call.name);
        }
    }

    /// Frees everything, and sees that nothing is left.
    pub fn end(mut self, backwards: bool) {
        self.rest = &[];
        self.freeing = true;
        for borrow in &self.borrows {
            borrow.check();
        }
        self.borrows.clear();
        self.entries.retain(|entry| entry.owned);
        if backwards {
            self.entries.reverse();
        }
        while let Some(entry) = self.entries.first() {
            self.run(FREES[entry.kind]);
        }
        assert_eq!(Userdata::alive(), 0, "a userdata was not given back");
    }

    /// A handle to be used: NULL, one that there is, or a new one.
    pub fn handle(&mut self, kind: &'static str, constant: bool) -> Handle {
        let choice = usize::from(self.byte());
        if choice == 255 {
            return Handle::NULL;
        }
        let there: Vec<Handle> = self
            .entries
            .iter()
            .filter(|entry| entry.kind == kind && (constant || entry.owned))
            .map(|entry| entry.handle)
            .collect();
        let handle = match there.is_empty() || choice >= 224 {
            true => self.make(kind),
            false => there[there.len() - 1 - choice % there.len()],
        };
        if !constant {
            // It may change, and what was borrowed from it with it.
            self.borrows.retain(|borrow| borrow.root != handle.root);
        }
        handle
    }

    /// A handle to be freed, which is forgotten with all that was borrowed from it.
    pub fn free(&mut self, kind: &'static str) -> Handle {
        let choice = if self.freeing {
            0
        } else {
            usize::from(self.byte())
        };
        let owned: Vec<usize> = (0..self.entries.len())
            .filter(|index| self.entries[*index].kind == kind && self.entries[*index].owned)
            .collect();
        if owned.is_empty() || choice == 255 {
            return Handle::NULL;
        }
        let handle = self.entries.remove(owned[choice % owned.len()]).handle;
        self.entries
            .retain(|entry| entry.handle.root != handle.root);
        self.borrows.retain(|borrow| {
            if borrow.root == handle.root {
                borrow.check();
            }
            borrow.root != handle.root
        });
        handle
    }

    fn make(&mut self, kind: &'static str) -> Handle {
        let Some(makers) = MAKERS.get(kind).filter(|_| self.depth < MAX_DEPTH) else {
            return Handle::NULL;
        };
        let before = self.roots;
        self.depth += 1;
        let choice = usize::from(self.byte());
        self.run(makers[choice % makers.len()]);
        self.depth -= 1;
        let made = self
            .entries
            .iter()
            .rfind(|entry| entry.kind == kind && entry.owned && entry.handle.root > before);
        made.map_or(Handle::NULL, |entry| entry.handle)
    }

    pub fn own(&mut self, kind: &'static str, pointer: *mut c_void) {
        self.roots += 1;
        let handle = Handle {
            pointer,
            root: self.roots,
        };
        self.entries.push(Entry {
            kind,
            handle,
            owned: true,
        });
        choices::complete(kind, pointer);
    }

    /// Room for a handle that a function gives out.
    pub fn output(&mut self, kind: &'static str) -> Output {
        Output {
            kind,
            wanted: self.byte() != 255,
            handle: Box::into_raw(Box::new(null_mut())),
        }
    }

    /// Whether a handle was given out, which is ours from now on.
    pub fn take_output(&mut self, output: &Output) -> Option<bool> {
        // SAFETY: made by `output`, and still there.
        let pointer = unsafe { *output.handle };
        if !pointer.is_null() {
            self.own(output.kind, pointer);
        }
        output.wanted.then_some(!pointer.is_null())
    }

    pub fn number_output<T: Default>(&mut self) -> NumberOutput<T> {
        NumberOutput {
            wanted: self.byte() != 255,
            number: T::default(),
        }
    }

    pub fn text(&mut self, name: &str) -> Text {
        let choice = self.byte();
        let bytes = match choice {
            255 => return Text(None),
            224.. => {
                let len = usize::from(self.byte() % 80);
                self.take(len)
                    .split(|byte| *byte == 0)
                    .next()
                    .unwrap_or_default()
                    .to_vec()
            }
            _ => choices::text(name, choice),
        };
        Text(Some(CString::new(bytes).expect("no NUL")))
    }

    pub fn bytes(&mut self, name: &str) -> Bytes {
        let choice = self.byte();
        match choice {
            255 => Bytes(None, 0),
            // NULL with a length: refused.
            254 => Bytes(None, usize::from(self.byte())),
            // Not a null pointer, but nothing to be read.
            253 => Bytes(Some(Vec::new()), 0),
            224.. => {
                let len = usize::from(self.byte());
                Bytes::new(self.take(len).to_vec())
            }
            _ => Bytes::new(choices::bytes(name, choice)),
        }
    }

    pub fn headers(&mut self) -> Headers {
        let pairs = usize::from(self.byte() % 4);
        let texts: Vec<Text> = (0..2 * pairs).map(|_| self.text("header")).collect();
        Headers {
            pointers: texts.iter().map(Text::pointer).collect(),
            _texts: texts,
        }
    }

    pub fn number(&mut self, name: &str) -> u64 {
        let choice = self.byte();
        match choice {
            250.. if !choices::is_bounded(name) => {
                let mut bytes = [0; 8];
                let taken = self.take(8);
                bytes[..taken.len()].copy_from_slice(taken);
                u64::from_le_bytes(bytes)
            }
            _ => choices::number(name, choice),
        }
    }

    pub fn optional_number(&mut self, name: &str) -> Option<u64> {
        (self.byte() != 255).then(|| self.number(name))
    }

    /// None of this process that it needs itself.
    pub fn descriptor(&mut self) -> c_int {
        choices::descriptor(self.byte())
    }

    pub fn hook<H>(&mut self, hook: Option<H>) -> Option<H> {
        hook.filter(|_| self.byte() != 255)
    }

    /// What a hook is called with: `owned` by a handle from then on, if a hook is told of its end.
    pub fn userdata(&mut self, owned: bool) -> GivenUserdata {
        let len = usize::from(self.byte() % 32);
        let with_destroy_hook = owned && self.byte() != 255;
        let acts = (0..len).map(|_| self.byte()).collect();
        let userdata = Box::new(Userdata::new(acts, with_destroy_hook));
        if with_destroy_hook {
            return GivenUserdata {
                pointer: Box::into_raw(userdata),
                with_destroy_hook,
            };
        }
        let pointer: *const Userdata = &*userdata;
        self.userdata.push(userdata);
        GivenUserdata {
            pointer: pointer.cast_mut(),
            with_destroy_hook,
        }
    }

    /// Outputs are written on success only, the error on failure only, and a code is one of the header's.
    pub fn check_code(
        &mut self,
        name: &str,
        code: u32,
        made: Option<bool>,
        failed: Option<(Option<bool>, bool)>,
    ) {
        // SAFETY: takes any number, and returns a static text.
        let code_name = unsafe { CStr::from_ptr(calls::oss_callback_code_name(code)) };
        assert_ne!(code_name, c"UNKNOWN", "{name}: {code}");
        match code {
            0 => assert_ne!(made, Some(false), "{name} succeeds and makes nothing"),
            _ => assert_ne!(
                made,
                Some(true),
                "{name} fails with {code_name:?} and makes something"
            ),
        }
        if *IS_SHOWN {
            eprintln!("{name}: {}", code_name.to_string_lossy());
        }
        let Some((failed, wanted)) = failed else {
            return;
        };
        if wanted {
            assert_eq!(failed, Some(code != 0), "{name}: {code_name:?}");
        }
        if failed == Some(true)
            && let Some(error) = self.entries.iter().rfind(|entry| entry.kind == "error")
        {
            // SAFETY: a live error.
            let said = unsafe { calls::oss_callback_error_code(error.handle.pointer) };
            assert_eq!(said, code, "{name}");
            // SAFETY: as before, and the text lives as long.
            let message =
                unsafe { CStr::from_ptr(calls::oss_callback_error_message(error.handle.pointer)) };
            assert!(!message.is_empty(), "{name} says nothing");
            assert_ne!(code_name, c"INTERNAL", "{name}: {message:?}");
            if *IS_SHOWN {
                eprintln!("  {}", message.to_string_lossy());
            }
        }
    }

    pub fn borrow_text(&mut self, name: &str, owner: Option<Handle>, text: *const c_char) {
        if text.is_null() {
            return;
        }
        // SAFETY: NUL-terminated, as the header promises.
        let bytes = unsafe { CStr::from_ptr(text) }.to_bytes_with_nul();
        assert!(
            std::str::from_utf8(bytes).is_ok(),
            "{name} gives a text that is not UTF-8"
        );
        self.borrow(owner, text.cast(), bytes.to_vec());
    }

    pub fn borrow_bytes(&mut self, owner: Option<Handle>, start: *const u8, len: Option<usize>) {
        let Some(len) = len.filter(|_| !start.is_null()) else {
            return;
        };
        // SAFETY: as many bytes as the header promises.
        let bytes = unsafe { std::slice::from_raw_parts(start, len) };
        self.borrow(owner, start, bytes.to_vec());
    }

    fn borrow(&mut self, owner: Option<Handle>, start: *const u8, copy: Vec<u8>) {
        // What comes of NULL or of no handle is static.
        let root = owner.map_or(0, |owner| owner.root);
        if self.borrows.len() < 64 {
            self.borrows.push(Borrow { root, start, copy });
        }
    }

    pub fn borrow_handle<T>(
        &mut self,
        kind: &'static str,
        owner: Option<Handle>,
        pointer: *const T,
    ) {
        let root = owner.map_or(0, |owner| owner.root);
        if !pointer.is_null() {
            // That of no callback is static.
            assert!(root != 0 || kind == "spec", "a {kind} of nobody");
            let handle = Handle {
                pointer: pointer.cast_mut().cast(),
                root,
            };
            self.entries.push(Entry {
                kind,
                handle,
                owned: false,
            });
        }
    }
}

pub struct Output {
    kind: &'static str,
    pub wanted: bool,
    handle: *mut *mut c_void,
}

impl Output {
    pub fn pointer(&self) -> *mut *mut c_void {
        if self.wanted { self.handle } else { null_mut() }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: made by `Program::output`, and given back once.
        drop(unsafe { Box::from_raw(self.handle) });
    }
}

pub struct NumberOutput<T> {
    wanted: bool,
    number: T,
}

impl<T: Copy> NumberOutput<T> {
    pub fn pointer(&mut self) -> *mut T {
        if self.wanted {
            &mut self.number
        } else {
            null_mut()
        }
    }

    pub fn said(&self) -> Option<T> {
        self.wanted.then_some(self.number)
    }
}

pub struct Text(Option<CString>);

impl Text {
    pub fn pointer(&self) -> *const c_char {
        self.0
            .as_ref()
            .map_or(std::ptr::null(), |text| text.as_ptr())
    }
}

pub struct Bytes(Option<Vec<u8>>, usize);

impl Bytes {
    fn new(bytes: Vec<u8>) -> Bytes {
        let len = bytes.len();
        // Not a byte more than there is, so that AddressSanitizer sees who reads it.
        Bytes(Some(bytes.into_boxed_slice().into_vec()), len)
    }

    pub fn pointer(&self) -> *const u8 {
        self.0
            .as_ref()
            .map_or(std::ptr::null(), |bytes| bytes.as_ptr())
    }

    pub fn len(&self) -> usize {
        self.1
    }
}

pub struct Headers {
    pointers: Vec<*const c_char>,
    _texts: Vec<Text>,
}

impl Headers {
    pub fn pointer(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }

    pub fn len(&self) -> usize {
        self.pointers.len() / 2
    }
}

pub struct GivenUserdata {
    pointer: *mut Userdata,
    with_destroy_hook: bool,
}

impl GivenUserdata {
    pub fn pointer(&self) -> *mut c_void {
        self.pointer.cast()
    }

    pub fn destroy_hook(&self) -> DestroyHook {
        DESTROY_HOOK.filter(|_| self.with_destroy_hook)
    }
}
