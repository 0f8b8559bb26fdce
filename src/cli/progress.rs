//! Progress bars on standard error, for whatever lasts longer than a quarter of a second.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::progress::Progress;

/// Draws a bar with rate and time left once a step has lasted a quarter of a second.
pub(super) struct Bar {
    state: Mutex<Option<(ProgressBar, Instant)>>,
}

const DELAY: Duration = Duration::from_millis(250);

impl Bar {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(None) }
    }

    fn with(&self, act: impl FnOnce(&mut Option<(ProgressBar, Instant)>)) {
        if let Ok(mut state) = self.state.lock() {
            act(&mut state);
        }
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: u64) {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let large = total > 1 << 20;
        let units = if large { "{bytes}/{total_bytes}, {bytes_per_sec}" } else { "{pos}/{len}" };
        let template = format!("{{msg}} {{wide_bar}} {units}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        self.with(|state| *state = Some((bar, Instant::now())));
    }

    fn advance(&self, units: u64) {
        self.with(|state| {
            let Some((bar, since)) = state else { return };
            bar.inc(units);
            if bar.is_hidden() && since.elapsed() > DELAY && std::io::stderr().is_terminal() {
                bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            }
        });
    }

    fn end(&self) {
        self.with(|state| {
            if let Some((bar, _)) = state.take() {
                bar.finish_and_clear();
            }
        });
    }
}
