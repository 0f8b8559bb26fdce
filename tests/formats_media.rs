//! Recordings: whole, cut off, and what is none.

#![allow(clippy::unwrap_used, reason = "a test stops at the first thing that is not as it should be")]

use std::io::Cursor;

use subrosa::base::Result;
use subrosa::formats::MediaInfo;
use subrosa::formats::media::{Container, probe};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/formats/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn look(bytes: &[u8], extension: &str) -> Result<MediaInfo> {
    probe(Cursor::new(bytes.to_vec()), Some(extension), bytes.len() as u64)
}

/// A WAV of 16-bit silence.
fn wav(rate: u32, channels: u16, frames: u32) -> Vec<u8> {
    let block = channels * 2;
    let size = frames * u32::from(block);
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend((36 + size).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(block)).to_le_bytes());
    bytes.extend(block.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(size.to_le_bytes());
    bytes.resize(bytes.len() + size as usize, 0);
    bytes
}

fn page(flags: u8, granule: u64, packet: &[u8]) -> Vec<u8> {
    let mut bytes = b"OggS\0".to_vec();
    bytes.push(flags);
    bytes.extend(granule.to_le_bytes());
    bytes.extend(7u32.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.push(1);
    bytes.push(packet.len() as u8);
    bytes.extend(packet);
    bytes
}

fn opus() -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec();
    head.extend(312u16.to_le_bytes());
    head.extend(48_000u32.to_le_bytes());
    head.extend([0, 0, 0]);
    [page(2, 0, &head), page(0, 0, b"OpusTags"), page(4, 48_000 * 90 + 312, &[1; 200])].concat()
}

#[test]
fn what_tools_made_is_told() {
    for (name, container, codecs, video) in [
        ("a.wav", Container::Wav, &["pcm"][..], false),
        ("a.mp3", Container::Mp3, &["mp3"], false),
        ("a.m4a", Container::Mp4, &["aac"], false),
        ("a.mp4", Container::Mp4, &["aac"], true),
        ("a.ogg", Container::Ogg, &["vorbis", "opus"], false),
        ("b.opus", Container::Ogg, &["opus"], false),
        ("b_flac.ogg", Container::Ogg, &["flac"], false),
        ("b.mkv", Container::Mkv, &["opus"], true),
        ("b.webm", Container::Mkv, &["vorbis"], true),
        ("b.mov", Container::Mp4, &["aac"], true),
        ("b_sidx.mp4", Container::Mp4, &["aac"], false),
        ("b_noxing.mp3", Container::Mp3, &["mp3"], false),
        ("b_vbr.mp3", Container::Mp3, &["mp3"], false),
    ] {
        let info = look(&fixture(name), name.rsplit('.').next().unwrap()).unwrap();
        assert_eq!((info.container, info.video), (container, video), "{name} {info:?}");
        assert!(codecs.contains(&info.codec.as_str()), "{name} {info:?}");
        let duration = info.duration_ms.unwrap();
        assert!((900..2_200).contains(&duration), "{name} {info:?}");
        assert!(info.channels.is_some() && info.sample_rate.is_some(), "{name} {info:?}");
        assert!(!format!("{info:?}").contains("Rossi"));
        // The name is a hint only.
        assert_eq!(look(&fixture(name), "dat").unwrap(), info);
    }
}

#[test]
fn what_is_cut_off_is_told() {
    for name in
        ["a.wav", "a.m4a", "a.mp4", "a.ogg", "a.mp3", "b.opus", "b.mkv", "b.webm", "b.mov", "b_sidx.mp4", "b_vbr.mp3"]
    {
        let whole = fixture(name);
        let cut = &whole[..whole.len() * 2 / 3];
        let error = look(cut, name.rsplit('.').next().unwrap()).unwrap_err();
        assert!(error.what().contains("cut off") || error.what().contains("never finished"), "{name}: {error}");
    }
    let opus = opus();
    assert!(look(&opus[..opus.len() - 1], "opus").unwrap_err().what().contains("cut off"));
}

#[test]
fn wav_in_its_forms() {
    let info = look(&wav(16_000, 1, 16_000 * 3), "wav").unwrap();
    assert_eq!((info.duration_ms, info.channels, info.sample_rate), (Some(3_000), Some(1), Some(16_000)));
    assert!(look(&wav(16_000, 1, 0), "wav").is_err());
    assert!(look(&wav(0, 1, 10), "wav").is_err());
    assert!(look(&wav(16_000, 0, 10), "wav").is_err());
    // A recorder without power: the length was never written.
    let mut lost = wav(16_000, 1, 160_000);
    lost[40..44].copy_from_slice(&[0; 4]);
    assert!(look(&lost, "wav").unwrap_err().what().contains("cut off"));
    // To a pipe.
    let mut piped = wav(16_000, 2, 16_000);
    piped[40..44].copy_from_slice(&[0xFF; 4]);
    assert_eq!(look(&piped, "wav").unwrap().duration_ms, Some(1_000));
    // More than 4 GB, by its chunk for long lengths.
    let short = wav(8_000, 1, 8_000);
    let mut long = b"RF64\xff\xff\xff\xffWAVEds64".to_vec();
    long.extend(28u32.to_le_bytes());
    long.extend(0u64.to_le_bytes());
    long.extend(16_000u64.to_le_bytes());
    long.extend([0; 12]);
    long.extend(&short[12..40]);
    long.extend([0xFF; 4]);
    long.extend(&short[44..]);
    assert_eq!(look(&long, "wav").unwrap().duration_ms, Some(1_000));
    long.pop();
    assert!(look(&long, "wav").unwrap_err().what().contains("cut off"));
}

#[test]
fn opus_is_known_and_measured() {
    let info = look(&opus(), "ogg").unwrap();
    assert_eq!(
        (info.codec.as_str(), info.duration_ms, info.channels, info.sample_rate),
        ("opus", Some(90_000), Some(2), Some(48_000))
    );
    assert!(look(&page(2, 0, b"\x80theora12345"), "ogg").is_err());
    assert!(look(b"OggS\0\x02", "ogg").is_err());
}

/// An element of Matroska.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u64 | 1 << 56).to_be_bytes();
    [id, &size, content].concat()
}

fn matroska() -> Vec<u8> {
    let head = element(
        b"\x1A\x45\xDF\xA3",
        &[element(b"\x42\x82", b"webm"), element(b"\x42\x87", &[4]), element(b"\x42\x85", &[2])].concat(),
    );
    let info = element(
        b"\x15\x49\xA9\x66",
        &[
            element(b"\x2A\xD7\xB1", &1_000_000u32.to_be_bytes()),
            element(b"\x44\x89", &90_000f64.to_be_bytes()),
            element(b"\x4D\x80", b"x"),
            element(b"\x57\x41", b"x"),
        ]
        .concat(),
    );
    let audio = element(b"\xE1", &[element(b"\xB5", &48_000f64.to_be_bytes()), element(b"\x9F", &[1])].concat());
    let mut private = b"OpusHead\x01\x01\x38\x01".to_vec();
    private.extend(48_000u32.to_le_bytes());
    private.extend([0; 3]);
    let track = element(
        b"\xAE",
        &[
            element(b"\xD7", &[1]),
            element(b"\x73\xC5", &[1]),
            element(b"\x83", &[2]),
            element(b"\x86", b"A_OPUS"),
            element(b"\x63\xA2", &private),
            audio,
        ]
        .concat(),
    );
    let tracks = element(b"\x16\x54\xAE\x6B", &track);
    let cluster = element(
        b"\x1F\x43\xB6\x75",
        &[element(b"\xE7", &[0]), element(b"\xA3", &[0x81, 0, 0, 0x80, 1, 2, 3])].concat(),
    );
    [head, element(b"\x18\x53\x80\x67", &[info, tracks, cluster].concat())].concat()
}

#[test]
fn opus_in_matroska() {
    let info = look(&matroska(), "mkv").unwrap();
    assert_eq!((info.container, info.codec.as_str(), info.duration_ms), (Container::Mkv, "opus", Some(90_000)));
    let whole = matroska();
    assert!(look(&whole[..whole.len() - 3], "webm").unwrap_err().what().contains("cut off"));
}

#[test]
fn flac_by_its_header_and_its_last_frame() {
    let bytes = include_bytes!("../src/sample/delivery/recordings/GE-03.flac");
    let info = look(bytes, "flac").unwrap();
    assert_eq!((info.codec.as_str(), info.channels, info.sample_rate), ("flac", Some(1), Some(8_000)));
    assert!(info.duration_ms.is_some_and(|ms| ms > 1_000));
    assert!(look(&bytes[..bytes.len() - 1], "flac").unwrap_err().what().contains("cut off"));
}

#[test]
fn what_is_no_recording() {
    let docx = [b"PK\x03\x04".to_vec(), vec![0; 1000]].concat();
    for bytes in [
        &b""[..],
        b"x",
        b"WEBVTT\n\n",
        &docx,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        &[0xFF; 5000],
        &[0; 5000],
        b"ID3\x04\0\0\0\0\0\0",
        b"RIFF\0\0\0\0AVI LIST",
    ] {
        for extension in ["mp3", "wav", "m4a"] {
            assert!(look(bytes, extension).is_err(), "{bytes:?}");
        }
    }
    // Without an index, and pictures without sound.
    let mut lost = b"\0\0\0\x10ftypisom\0\0\0\0".to_vec();
    lost.extend(b"\0\0\0\x0cmdat1234");
    assert!(look(&lost, "mp4").unwrap_err().what().contains("never finished"));
}

#[test]
fn nothing_makes_it_stumble() {
    for name in ["a.wav", "a.mp3", "a.m4a", "a.mp4", "a.ogg", "b.mkv", "b_sidx.mp4", "b_noxing.mp3"] {
        let whole = fixture(name);
        let extension = name.rsplit('.').next().unwrap();
        for cut in (0..whole.len().min(4_000)).step_by(37) {
            let _ = look(&whole[..cut], extension);
        }
        let last = whole.len();
        for at in (0..last.min(1_500)).chain(last.saturating_sub(1_500)..last).step_by(5) {
            let mut bent = whole.clone();
            bent[at] ^= 0xA5;
            let _ = look(&bent, extension);
        }
    }
    for whole in [opus(), matroska()] {
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0xFF;
            let _ = look(&bent, "x");
            let _ = look(&whole[..at], "x");
        }
    }
}

/// A recording of hours: almost nothing of it may be read.
struct Huge {
    head: Vec<u8>,
    len: u64,
    at: u64,
    read: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl std::io::Read for Huge {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = buf.len().min(usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX));
        for (i, byte) in buf[..n].iter_mut().enumerate() {
            *byte = self.head.get(self.at as usize + i).copied().unwrap_or(0);
        }
        self.at += n as u64;
        self.read.fetch_add(n as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(n)
    }
}

impl std::io::Seek for Huge {
    fn seek(&mut self, pos: std::io::SeekFrom) -> std::io::Result<u64> {
        self.at = match pos {
            std::io::SeekFrom::Start(at) => at,
            std::io::SeekFrom::End(back) => self.len.saturating_add_signed(back),
            std::io::SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

#[test]
fn long_recordings_are_not_read_whole() {
    let size = 3_000_000_000u32;
    let mut head = wav(48_000, 2, 0);
    head[40..44].copy_from_slice(&size.to_le_bytes());
    for (head, len, limit) in
        [(head, u64::from(size) + 44, 10_000), (b"ID3\x04\0\0\x7f\x7f\x7f\x7f".to_vec(), 1 << 40, 64_000_000)]
    {
        let read = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let source = Huge { head, len, at: 0, read: read.clone() };
        let result = probe(source, Some("mp3"), len);
        let read = read.load(std::sync::atomic::Ordering::Relaxed);
        assert!(read <= limit, "{read} {result:?}");
    }
}
