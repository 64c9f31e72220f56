//! The files that stand beside a checkpoint for a while: its lock, and what is to take its place.
//!
//! Their names are the library's own. What is found under one of them is used or removed only if its first line shows that
//! the library wrote it.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::file::is_same;
use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

const LOCK: &str = ".oss-callback-lock";
const NEW: &str = ".oss-callback-new";
const DAMAGED: &str = ".oss-callback-damaged";

/// All that a lock holds.
const LOCK_LINE: &[u8] = b"oss-callback checkpoint lock\n";

/// Files that are not ours, or cannot be told from such, before it is given up.
const MOST: u32 = 1000;

pub(super) fn failed(what: &str, path: &Path, e: io::Error) -> Error {
    let what = format!(
        "{what} checkpoint {path:?}: {}",
        e.to_string().to_lowercase()
    );
    Error::new(ErrorKind::CheckpointFailed, what).with_source(e)
}

/// Refuses a name that the library could take for one of its own.
pub(super) fn check_name(checkpoint: &Path) -> Result<()> {
    let name = checkpoint.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match [LOCK, NEW, DAMAGED]
        .iter()
        .find(|own| name.ends_with(**own))
    {
        None => Ok(()),
        Some(own) => Err(Error::argument(format!(
            "`checkpoint` {checkpoint:?} ends with {own}: such names are the library's own"
        ))),
    }
}

/// A name beside the checkpoint: the first one, or another if that is taken.
fn beside(checkpoint: &Path, suffix: &str, number: u32) -> PathBuf {
    let mut name: OsString = checkpoint.as_os_str().to_owned();
    name.push(suffix);
    if number > 1 {
        name.push(number.to_string());
    }
    name.into()
}

/// What stands under a name; links are not followed.
pub(super) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn no_file_of_ours(path: &Path) -> io::Error {
    let what = format!("{path:?} is something else, and stays as it is");
    io::Error::other(what)
}

/// For files that are nobody else's business.
fn create(path: &Path) -> io::Result<File> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.read(true).write(true).create_new(true).open(path)
}

/// A whole file that is to take the checkpoint's place; removed when dropped before that.
pub(super) struct NewFile<'a> {
    checkpoint: &'a Path,
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl<'a> NewFile<'a> {
    /// Writes it. `is_ours` tells, by its first line, what an earlier process has left under the name.
    pub(super) fn write(
        checkpoint: &'a Path,
        bytes: &[u8],
        is_ours: impl Fn(&Path) -> bool,
    ) -> io::Result<NewFile<'a>> {
        let mut number = 1;
        let (path, file) = loop {
            let path = beside(checkpoint, NEW, number);
            match create(&path) {
                Ok(file) => break (path, file),
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                // Who writes it has the lock, and that is us.
                Err(_) if is_ours(&path) => fs::remove_file(&path)?,
                Err(_) if number == MOST => return Err(no_file_of_ours(&path)),
                Err(_) => number += 1,
            }
        };
        let mut new = NewFile {
            checkpoint,
            path,
            file,
            renamed: false,
        };
        new.file.write_all(bytes)?;
        new.file.sync_all()?;
        Ok(new)
    }

    /// Puts it in the checkpoint's place, and gives it, still open.
    pub(super) fn put_in_place(mut self) -> io::Result<File> {
        fs::rename(&self.path, self.checkpoint)?;
        self.renamed = true;
        sync_folder_of(self.checkpoint);
        self.file.try_clone()
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A new name lasts once its folder does. Not everywhere can folders be opened.
fn sync_folder_of(path: &Path) {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}

/// Gives a file another name beside it, and says which.
pub(super) fn set_aside(checkpoint: &Path) -> io::Result<PathBuf> {
    for number in 1..=MOST {
        let aside = beside(checkpoint, DAMAGED, number);
        if look(&aside)?.is_none() {
            fs::rename(checkpoint, &aside)?;
            return Ok(aside);
        }
    }
    Err(no_file_of_ours(&beside(checkpoint, DAMAGED, MOST)))
}

/// The lock of a checkpoint, released and removed when dropped, and released by the system when the process
/// ends in any other way.
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    pub(super) fn take(checkpoint: &Path) -> Result<Lock> {
        let path = beside(checkpoint, LOCK, 1);
        let failed = |e| failed("lock", checkpoint, e);
        loop {
            let (mut file, is_new) = match create(&path) {
                Ok(file) => (file, true),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    match existing(&path).map_err(failed)? {
                        Some(file) => (file, false),
                        // Removed meanwhile.
                        None => continue,
                    }
                }
                Err(e) => return Err(failed(e)),
            };
            // Before it is locked: who finds it empty cannot know whose it is, and does not remove it.
            let written = match is_new {
                true => file.write_all(LOCK_LINE),
                false => Ok(()),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let message = format!("checkpoint {checkpoint:?} is in use by another upload");
                    return Err(Error::new(ErrorKind::CheckpointInUse, message));
                }
                Err(TryLockError::Error(e)) => return Err(failed(e)),
            }
            // Who had it before may have removed the name meanwhile.
            if cfg!(unix) && !is_same(&file, &path) {
                continue;
            }
            if let Err(e) = written {
                let _ = fs::remove_file(&path);
                return Err(failed(e));
            }
            return Ok(Lock { path, file });
        }
    }

    /// Whether it says that it was made by us; an empty one serves, but may be somebody else's.
    fn is_ours(&mut self) -> bool {
        let text = self.file.seek(SeekFrom::Start(0));
        text.and_then(|_| read_line(&mut self.file))
            .is_ok_and(|text| text == LOCK_LINE)
    }
}

/// Opens a lock that is there already, if it still is.
fn existing(path: &Path) -> io::Result<Option<File>> {
    match look(path)? {
        None => return Ok(None),
        // A link could lead anywhere, and a pipe would hold the call up for ever.
        Some(found) if !found.is_file() => return Err(no_file_of_ours(path)),
        Some(_) => {}
    }
    let mut file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let text = read_line(&mut file)?;
    match text.is_empty() || text == LOCK_LINE {
        true => Ok(Some(file)),
        false => Err(no_file_of_ours(path)),
    }
}

/// As much as a lock holds, and a byte more.
fn read_line(file: &mut File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(LOCK_LINE.len() as u64 + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}

impl Drop for Lock {
    fn drop(&mut self) {
        // In this order nobody else can have the name; unless somebody took it away before.
        if (cfg!(not(unix)) || is_same(&self.file, &self.path)) && self.is_ours() {
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::Folder;
    use super::*;

    #[test]
    fn one_upload_uses_a_checkpoint_at_a_time() {
        let folder = Folder::new("lock");
        let path = folder.0.join("a");
        let first = Lock::take(&path).unwrap();
        let second = Lock::take(&path).err().unwrap();
        assert_eq!(second.kind(), ErrorKind::CheckpointInUse);
        drop(first);
        drop(Lock::take(&path).unwrap());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
        let missing = folder.0.join("missing/a");
        let error = Lock::take(&missing).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::CheckpointFailed);
    }

    #[test]
    fn many_who_want_a_lock_have_it_one_after_the_other_and_leave_nothing() {
        let folder = Folder::new("locks");
        let path = folder.0.join("a");
        let (holders, most) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut taken = 0;
                    while taken < 50 {
                        if let Ok(lock) = Lock::take(&path) {
                            most.fetch_max(
                                holders.fetch_add(1, Ordering::SeqCst) + 1,
                                Ordering::SeqCst,
                            );
                            holders.fetch_sub(1, Ordering::SeqCst);
                            drop(lock);
                            taken += 1;
                        }
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 1);
        // Who takes it last finds what it made itself.
        drop(Lock::take(&path).unwrap());
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
    }

    use std::sync::atomic::{AtomicU32, Ordering};
}
