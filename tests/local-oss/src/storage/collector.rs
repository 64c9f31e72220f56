//! Contents in the making: bytes come in, checksums and files are made beside.

use std::{io, sync::Arc};

use hyper::body::Bytes;
use md5::{Digest as _, Md5};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Contents, SEGMENT, Spool, Storage, contents::Place, new_file::Writer};
use crate::{
    crc64::Crc64,
    image::{Image, LONGEST_START},
    memory::{Claim, Memory},
};

/// What one upload may hold of an object that goes to a file: the piece that comes in, and those that are being hashed and
/// written.
const BUFFERS: u64 = 4 * SEGMENT as u64;

/// Hashing so few bytes is faster than having it done.
const HASHED_AT_ONCE: usize = 64 * 1024;

/// Why contents cannot be taken in.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No memory is left for what was pushed.
    OutOfMemory,
    /// The file cannot be written.
    File(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

#[derive(Default)]
struct Checksums {
    md5: Md5,
    crc64: Crc64,
}

impl Checksums {
    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.crc64.write(bytes);
    }
}

/// A value that is here, or away while a thread works on it. One piece of work at a time: nobody waits on a thread for bytes
/// that a slow client has not sent.
enum Worker<T> {
    Here(T),
    Away(JoinHandle<io::Result<T>>),
    Lost,
}

impl<T: Send + 'static> Worker<T> {
    async fn take(&mut self) -> io::Result<T> {
        match std::mem::replace(self, Self::Lost) {
            Self::Here(value) => Ok(value),
            Self::Away(work) => work.await.map_err(io::Error::other)?,
            Self::Lost => Err(io::Error::other("work on it has failed before")),
        }
    }

    async fn start(
        &mut self,
        work: impl FnOnce(&mut T) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let mut value = self.take().await?;
        *self = Self::Away(spawn_blocking(move || {
            work(&mut value)?;
            Ok(value)
        }));
        Ok(())
    }
}

/// Contents in the making.
pub(crate) struct Collector {
    spool: Arc<Spool>,
    /// A part: in the file whatever its size, so that an object made of parts is one file.
    is_part: bool,
    size: u64,
    expected: Option<u64>,
    current: Vec<u8>,
    checksums: Worker<Checksums>,
    /// The whole pieces, unless they are in the file.
    segments: Vec<Bytes>,
    file: Option<Worker<Writer>>,
    /// The first bytes, for who asks whether it is an image.
    start: Option<Vec<u8>>,
    claim: Claim,
    /// Of the claim, what is for bytes of the object.
    claimed: u64,
    claimed_besides: u64,
}

impl Collector {
    /// Without a data directory smaller objects stay in memory.
    pub(crate) const LARGEST_IN_MEMORY: u64 = 16 * 1024 * 1024;

    /// `expected` is the announced length. Nothing is claimed for it: an announcement costs its sender nothing.
    pub(crate) fn new(
        storage: &Storage,
        memory: &Memory,
        expected: Option<u64>,
        look_for_image: bool,
    ) -> Self {
        let spool = Arc::new(Spool::new(storage));
        Self::of(spool, false, memory, expected, look_for_image)
    }

    /// A part, which goes to the file that it shares with the other parts.
    pub(crate) fn of_part(spool: &Arc<Spool>, memory: &Memory, expected: Option<u64>) -> Self {
        Self::of(Arc::clone(spool), true, memory, expected, false)
    }

    fn of(
        spool: Arc<Spool>,
        is_part: bool,
        memory: &Memory,
        expected: Option<u64>,
        look_for_image: bool,
    ) -> Self {
        Self {
            spool,
            is_part,
            size: 0,
            expected,
            current: Vec::new(),
            checksums: Worker::Here(Checksums::default()),
            segments: Vec::new(),
            file: None,
            start: look_for_image.then(Vec::new),
            claim: memory.claim(),
            claimed: 0,
            claimed_besides: 0,
        }
    }

    /// The memory that an object of this size needs while it comes in.
    pub(crate) fn need(size: u64) -> u64 {
        match size > Self::LARGEST_IN_MEMORY {
            true => BUFFERS,
            false => size,
        }
    }

    /// The same for a part.
    pub(crate) fn need_of_part(size: u64) -> u64 {
        size.min(BUFFERS)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Claims memory that is not for bytes of the object, but for what is kept along with it.
    pub(crate) fn claim(&mut self, bytes: u64) -> Result<(), Trouble> {
        if !self.claim.grow(bytes) {
            return Err(Trouble::OutOfMemory);
        }
        self.claimed_besides += bytes;
        Ok(())
    }

    pub(crate) async fn push(&mut self, mut bytes: &[u8]) -> Result<(), Trouble> {
        self.claim_for(self.size + bytes.len() as u64)?;
        if let Some(start) = &mut self.start {
            let wanted = LONGEST_START - start.len();
            let more = &bytes[..bytes.len().min(wanted)];
            if !self.claim.grow(more.len() as u64) {
                return Err(Trouble::OutOfMemory);
            }
            start.extend_from_slice(more);
        }
        while !bytes.is_empty() {
            if self.current.capacity() == 0 {
                let rest = self.expected.map_or(0, |all| all.saturating_sub(self.size));
                self.current = Vec::with_capacity(rest.min(SEGMENT as u64) as usize);
            }
            let (now, later) = bytes.split_at(bytes.len().min(SEGMENT - self.current.len()));
            self.current.extend_from_slice(now);
            self.size += now.len() as u64;
            if self.current.len() == SEGMENT {
                let segment = std::mem::take(&mut self.current);
                self.pass_on(segment.into()).await?;
            }
            bytes = later;
        }
        Ok(())
    }

    fn claim_for(&mut self, size: u64) -> Result<(), Trouble> {
        let due = match self.goes_to_file() {
            true => size.min(BUFFERS),
            false => size,
        };
        let more = due.saturating_sub(self.claimed);
        if !self.claim.grow(more) {
            return Err(Trouble::OutOfMemory);
        }
        self.claimed += more;
        Ok(())
    }

    fn goes_to_file(&self) -> bool {
        self.is_part || self.size.max(self.expected.unwrap_or(0)) > Self::LARGEST_IN_MEMORY
    }

    /// Has a piece hashed and kept; waits only for the work on the piece before.
    async fn pass_on(&mut self, segment: Bytes) -> Result<(), Trouble> {
        let hashed = segment.clone();
        let hash = move |checksums: &mut Checksums| {
            checksums.update(&hashed);
            Ok(())
        };
        self.checksums.start(hash).await?;
        self.segments.push(segment);
        if !self.goes_to_file() {
            return Ok(());
        }
        if self.file.is_none() {
            let (spool, expected) = (Arc::clone(&self.spool), self.expected);
            let create = spawn_blocking(move || Ok(Writer::new(spool.file()?, expected)));
            self.file = Some(Worker::Away(create));
        }
        if let Some(file) = &mut self.file {
            let segments = std::mem::take(&mut self.segments);
            let write = move |file: &mut Writer| {
                segments.iter().try_for_each(|segment| file.write(segment))
            };
            file.start(write).await?;
        }
        Ok(())
    }

    /// All is in. What goes to the data directory is not there yet.
    pub(crate) async fn finish(mut self) -> Result<Contents, Trouble> {
        let mut last = std::mem::take(&mut self.current);
        last.shrink_to_fit();
        if last.len() > HASHED_AT_ONCE || (self.goes_to_file() && !last.is_empty()) {
            self.pass_on(last.into()).await?;
        } else if !last.is_empty() {
            let mut checksums = self.checksums.take().await?;
            checksums.update(&last);
            self.checksums = Worker::Here(checksums);
            self.segments.push(last.into());
        }
        let checksums = self.checksums.take().await?;
        let (place, extents) = match &mut self.file {
            None => (Place::Memory(self.segments), Vec::new()),
            Some(file) => {
                let (file, extents) = file.take().await?.finish();
                (self.spool.place(file), extents)
            }
        };
        let in_memory = match &place {
            Place::Memory(_) => self.size,
            _ => 0,
        };
        self.claim.shrink_to(self.claimed_besides + in_memory);
        Ok(Contents {
            place,
            extents: extents.into(),
            size: self.size,
            md5: checksums.md5.finalize().into(),
            crc64: checksums.crc64.value(),
            image: self.start.and_then(|start| Image::find(&start)),
            claim: self.claim,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::storage::Source;

    async fn collect(data: &[u8], piece: usize, expected: Option<u64>) -> Contents {
        let memory = Memory::new(u64::MAX);
        let mut collector = Collector::new(&Storage::Temporary, &memory, expected, false);
        for piece in data.chunks(piece) {
            collector.push(piece).await.unwrap();
        }
        collector.finish().await.unwrap()
    }

    fn all(contents: &Contents) -> Vec<u8> {
        contents.open().unwrap().to_vec(contents.size()).unwrap()
    }

    #[tokio::test]
    async fn checksums_are_those_of_the_vectors() {
        let file: Value =
            serde_json::from_str(include_str!("../../tests/vectors/crc64.json")).unwrap();
        let rows = file["vectors"].as_array().unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            let data = vector_data(&row["data"]);
            assert_eq!(data.len() as u64, row["length"].as_u64().unwrap());
            let contents = collect(&data, 10_007, None).await;
            assert_eq!(
                contents.crc64.to_string(),
                row["crc64_decimal"].as_str().unwrap()
            );
            assert_eq!(contents.md5[..], Md5::digest(&data)[..]);
        }
    }

    fn vector_data(data: &Value) -> Vec<u8> {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len() / 2)
                .map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap())
                .collect()
        };
        if let Some(text) = data["utf8"].as_str() {
            return text.as_bytes().to_vec();
        }
        if let Some(text) = data["hex"].as_str() {
            return hex(text);
        }
        let pattern = hex(data["repeat_hex"].as_str().unwrap());
        let mut bytes = pattern.repeat(data["times"].as_u64().unwrap() as usize);
        bytes.truncate(data["length"].as_u64().unwrap() as usize);
        bytes
    }

    #[tokio::test]
    async fn every_range_comes_out_as_it_went_in() {
        let data: Vec<u8> = (0..3 * SEGMENT + 17)
            .map(|index| (index % 251) as u8)
            .collect();
        let size = data.len() as u64;
        for expected in [None, Some(size), Some(1), Some(u64::MAX)] {
            let contents = collect(&data, 70_001, expected).await;
            assert_eq!(contents.size(), size);
            assert!(all(&contents) == data);
            let Source::Memory(segments) = contents.open().unwrap() else {
                // Announced as too large for memory.
                assert_eq!(expected, Some(u64::MAX));
                continue;
            };
            let segment = SEGMENT as u64;
            for range in [
                0..0,
                0..1,
                0..size,
                segment - 1..segment + 1,
                segment..2 * segment,
                size - 1..size,
                size..size,
            ] {
                let expected = &data[range.start as usize..range.end as usize];
                let slice = Source::slice(&segments, range.clone()).concat();
                assert!(slice == expected, "{range:?}");
            }
        }
    }

    #[tokio::test]
    async fn bytes_beyond_the_limit_are_refused() {
        let memory = Memory::new(10);
        let mut collector = Collector::new(&Storage::Temporary, &memory, None, false);
        collector.push(&[0; 8]).await.unwrap();
        let refused = collector.push(&[0; 3]).await;
        assert!(matches!(refused, Err(Trouble::OutOfMemory)));
        drop(collector);
        assert!(memory.has_room_for(10));
    }

    #[tokio::test]
    async fn the_last_byte_may_make_an_object_large() {
        let memory = Memory::new(u64::MAX);
        for (more, in_memory) in [(0, true), (1, false)] {
            let data = vec![7; Collector::LARGEST_IN_MEMORY as usize + more];
            let mut collector = Collector::new(&Storage::Temporary, &memory, None, false);
            collector.push(&data).await.unwrap();
            let contents = collector.finish().await.unwrap();
            let source = contents.open().unwrap();
            assert_eq!(matches!(source, Source::Memory(_)), in_memory);
            assert_eq!(memory.has_room_for(u64::MAX), !in_memory);
            assert!(all(&contents) == data);
        }
    }

    #[tokio::test]
    async fn a_large_object_takes_no_more_memory_than_its_buffers() {
        const LARGE: u64 = 3 * Collector::LARGEST_IN_MEMORY;
        let piece = vec![7; SEGMENT / 2 + 1];
        for (expected, limit) in [
            (Some(LARGE), Collector::need(LARGE)),
            (None, Collector::LARGEST_IN_MEMORY + 2 * SEGMENT as u64),
        ] {
            let memory = Memory::new(limit);
            let mut collector = Collector::new(&Storage::Temporary, &memory, expected, false);
            let (mut md5, mut size) = (Md5::new(), 0);
            while size < LARGE {
                collector.push(&piece).await.unwrap();
                md5.update(&piece);
                size += piece.len() as u64;
            }
            let contents = collector.finish().await.unwrap();
            assert!(memory.has_room_for(limit), "{expected:?}");
            assert_eq!(contents.size(), size);
            assert_eq!(contents.md5[..], md5.finalize()[..]);
            let whole = all(&contents);
            assert!(whole.len() as u64 == size && whole.iter().all(|byte| *byte == 7));
        }
    }
}
