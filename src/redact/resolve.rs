//! Hits of all layers become spans that do not overlap.

use super::{Class, Span};

/// What one rule found. Offsets are code points of the whole text.
#[derive(Clone)]
pub(super) struct Hit {
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What it tells about.
    pub class: Class,
    /// Which layer found it.
    pub layer: &'static str,
    /// What to write instead.
    pub replacement: String,
}

/// The layer of known names and numbers.
pub(super) const KNOWN: &str = "known";
/// The layer of patterns whose form, and check digit where there is one, is right.
pub(super) const PATTERN: &str = "pattern";
/// The layer of what stands where such a number would stand but does not check.
pub(super) const UNCHECKED: &str = "pattern-unchecked";

impl Hit {
    /// The better one names a merged span: the longest, then the strongest class, then the surest layer.
    fn rank(&self) -> (usize, std::cmp::Reverse<(super::Strength, u8)>) {
        let layer = match self.layer {
            KNOWN => 0,
            PATTERN => 1,
            _ => 2,
        };
        (self.end - self.start, std::cmp::Reverse((self.class.strength(), layer)))
    }
}

/// Sorted spans without overlap. Hits that overlap become one span over all of them, so nothing found is let go.
pub(super) fn resolve(mut hits: Vec<Hit>) -> Vec<Span> {
    hits.retain(|hit| hit.start < hit.end);
    hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.class));
    let mut spans: Vec<Span> = Vec::new();
    let mut hits = hits.into_iter().peekable();
    while let Some(mut best) = hits.next() {
        let (start, mut end) = (best.start, best.end);
        while let Some(next) = hits.next_if(|next| next.start < end) {
            end = end.max(next.end);
            if next.rank() > best.rank() {
                best = next;
            }
        }
        spans.push(Span { start, end, class: best.class, layer: best.layer, replacement: best.replacement });
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(start: usize, end: usize, class: Class, layer: &'static str) -> Hit {
        Hit { start, end, class, layer, replacement: class.name().to_owned() }
    }

    #[test]
    fn overlapping_hits_become_one_span() {
        let spans = resolve(vec![
            hit(10, 14, Class::Date, PATTERN),
            hit(0, 4, Class::Person, KNOWN),
            hit(3, 9, Class::Contact, PATTERN),
            hit(10, 14, Class::Number, UNCHECKED),
            hit(9, 10, Class::Person, KNOWN),
            hit(20, 20, Class::Person, KNOWN),
        ]);
        let short: Vec<_> = spans.iter().map(|s| (s.start, s.end, s.class)).collect();
        assert_eq!(short, [(0, 9, Class::Contact), (9, 10, Class::Person), (10, 14, Class::Number)]);
    }

    #[test]
    fn the_surer_layer_wins_between_equals() {
        let spans = resolve(vec![hit(0, 4, Class::Number, UNCHECKED), hit(0, 4, Class::Number, PATTERN)]);
        assert_eq!((spans.len(), spans[0].layer), (1, PATTERN));
    }
}
