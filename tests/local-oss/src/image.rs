//! What `imageInfo.*` says of an object that is an image.

use imagesize::{Compression, ImageType};

/// An image's dimensions stand within so many bytes of its beginning, unless it is an unusual TIFF.
pub(crate) const LONGEST_START: usize = 1024 * 1024;

/// An image of a format that OSS knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) format: &'static str,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

impl Image {
    /// Looks at the first bytes of an object. `None` for what is no image, or a broken one.
    pub(crate) fn find(start: &[u8]) -> Option<Self> {
        let kind = imagesize::image_type(start).ok()?;
        let format = match kind {
            ImageType::Bmp => "bmp",
            ImageType::Gif => "gif",
            ImageType::Heif(Compression::Hevc) => "heic",
            ImageType::Jpeg => "jpg",
            ImageType::Png => "png",
            ImageType::Tiff => "tiff",
            ImageType::Webp => "webp",
            _ => return None,
        };
        let size = imagesize::blob_size(start).ok()?;
        let (width, mut height) = (size.width as u64, size.height as u64);
        if let ImageType::Bmp = kind {
            // A negative height means that the first line is the top one.
            height = (height as u32 as i32).unsigned_abs().into();
        }
        Some(Self {
            format,
            width,
            height,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    /// The beginning of a 300 x 200 image in each format, by the formats' own documentation.
    fn samples() -> Vec<(&'static str, Vec<u8>)> {
        let bmp = |height: i32| {
            bytes(&[
                b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
                &300u32.to_le_bytes(),
                &height.to_le_bytes(),
                &[0; 28],
            ])
        };
        let size = [0, 0, 1, 0x2c, 0, 0, 0, 200];
        vec![
            ("bmp", bmp(200)),
            ("bmp", bmp(-200)),
            ("gif", bytes(&[b"GIF89a\x2c\x01\xc8\0\0\0\0"])),
            (
                "png",
                bytes(&[b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &size, &[8, 2, 0, 0, 0]]),
            ),
            (
                "jpg",
                bytes(&[
                    b"\xff\xd8\xff\xe1\x01\x02",
                    &[0; 256],
                    b"\xff\xc0\0\x11\x08\0\xc8\x01\x2c\x03",
                ]),
            ),
            (
                "webp",
                bytes(&[b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x2b\x01\0\xc7\0\0"]),
            ),
            (
                "tiff",
                bytes(&[
                    b"II*\0\x08\0\0\0\x02\0",
                    b"\0\x01\x03\0\x01\0\0\0\x2c\x01\0\0",
                    b"\x01\x01\x03\0\x01\0\0\0\xc8\0\0\0",
                ]),
            ),
            (
                "heic",
                bytes(&[
                    b"\0\0\0\x14ftypheic\0\0\0\0mif1",
                    b"\0\0\0\x30meta\0\0\0\0",
                    b"\0\0\0\x24iprp\0\0\0\x1cipco",
                    b"\0\0\0\x14ispe\0\0\0\0",
                    &size,
                ]),
            ),
        ]
    }

    #[test]
    fn every_format_tells_its_size() {
        for (format, start) in samples() {
            let expected = Image {
                format,
                width: 300,
                height: 200,
            };
            assert_eq!(Image::find(&start), Some(expected), "{format}");
        }
        for no_image in [&b""[..], b"hello", b"\0\0\0\x14ftypisom\0\0\0\0mp41", b"BM"] {
            assert_eq!(Image::find(no_image), None, "{no_image:?}");
        }
    }

    #[test]
    fn broken_images_are_no_images_or_others() {
        let mut random = 1u32;
        let mut next = move || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) as usize
        };
        for (_, start) in samples() {
            for length in 0..start.len() {
                Image::find(&start[..length]);
            }
            for _ in 0..3_000 {
                let mut broken = start.clone();
                for _ in 0..next() % 4 + 1 {
                    let at = next() % broken.len();
                    broken[at] = [0, 1, 0x7f, 0x80, 0xff, next() as u8][next() % 6];
                }
                // Neither panics nor goes on for ever.
                Image::find(&broken);
            }
        }
    }
}
