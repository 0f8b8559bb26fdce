//! Synthetic studies to measure with: everybody and everything in them is invented, and the same number always gives the same material.

pub mod chain;
pub mod house;
pub mod material;

/// Seconds that something took, and what it gave.
pub fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let begun = std::time::Instant::now();
    let out = run();
    (begun.elapsed().as_secs_f64(), out)
}
