//! What symphonia says of a recording.

use std::io::{Read, Seek, SeekFrom};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known as codecs;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::units::{Duration, TimeBase};

use super::{Container, MediaInfo, damaged, silent, source::Source};
use crate::base::Result;

pub(super) fn probe<S: Read + Seek + Send + Sync + 'static>(
    mut source: Source<S>,
    container: Container,
    hint: &str,
) -> Result<MediaInfo> {
    source.seek(SeekFrom::Start(0)).map_err(|_| damaged())?;
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let mut hints = Hint::new();
    hints.with_extension(hint);
    let reader = symphonia::default::get_probe()
        .probe(&hints, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|_| damaged())?;
    let video = reader.tracks().iter().any(|t| t.track_type() == Some(TrackType::Video));
    let sound = reader.tracks().iter().find_map(|t| match &t.codec_params {
        Some(CodecParameters::Audio(audio)) => Some((t, audio)),
        _ => None,
    });
    let Some((track, audio)) = sound else { return Err(silent()) };
    Ok(MediaInfo {
        container,
        codec: name(audio.codec).into(),
        duration_ms: duration(reader.as_ref(), track, audio),
        channels: audio.channels.as_ref().and_then(|c| u16::try_from(c.count()).ok()),
        sample_rate: audio.sample_rate,
        video,
    })
}

/// Milliseconds of a track: by its duration, else by its frames, else by that of the whole file.
fn duration(reader: &dyn FormatReader, track: &Track, audio: &AudioCodecParameters) -> Option<u64> {
    let ticks = |duration: Option<Duration>, base: Option<TimeBase>| {
        let (duration, base) = duration.zip(base)?;
        let exact = u128::from(duration.get()) * 1_000 * u128::from(base.numer.get()) / u128::from(base.denom.get());
        u64::try_from(exact).ok().filter(|ms| *ms > 0)
    };
    let frames = || {
        track
            .num_frames
            .zip(audio.sample_rate)
            .and_then(|(n, rate)| super::milliseconds(n, u64::from(rate)))
            .filter(|ms| *ms > 0)
    };
    let whole = reader.media_info();
    ticks(track.duration, track.time_base).or_else(frames).or_else(|| ticks(whole.duration, whole.time_base))
}

fn name(codec: AudioCodecId) -> &'static str {
    match codec {
        codecs::CODEC_ID_MP3 => "mp3",
        codecs::CODEC_ID_MP2 => "mp2",
        codecs::CODEC_ID_MP1 => "mp1",
        codecs::CODEC_ID_AAC => "aac",
        codecs::CODEC_ID_ALAC => "alac",
        codecs::CODEC_ID_FLAC => "flac",
        codecs::CODEC_ID_OPUS => "opus",
        codecs::CODEC_ID_VORBIS => "vorbis",
        codecs::CODEC_ID_AC3 => "ac3",
        codecs::CODEC_ID_EAC3 => "eac3",
        codecs::CODEC_ID_PCM_S16LE
        | codecs::CODEC_ID_PCM_S16BE
        | codecs::CODEC_ID_PCM_S24LE
        | codecs::CODEC_ID_PCM_S24BE => "pcm",
        codecs::CODEC_ID_PCM_S32LE
        | codecs::CODEC_ID_PCM_S32BE
        | codecs::CODEC_ID_PCM_F32LE
        | codecs::CODEC_ID_PCM_F32BE => "pcm",
        _ => "unknown",
    }
}
