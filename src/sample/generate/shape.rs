//! Proportions that hold exactly, for any number: largest remainders, and an order that looks like chance.

/// Parts of `total` in these proportions, by largest remainders; the earlier part wins a tie.
pub(super) fn parts(total: u32, weights: &[u32]) -> Vec<u32> {
    let sum = weights.iter().map(|w| u64::from(*w)).sum::<u64>().max(1);
    let exact = |weight: &u32| u64::from(total) * u64::from(*weight);
    let mut out: Vec<u32> = weights.iter().map(|w| u32::try_from(exact(w) / sum).unwrap_or(total)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(exact(&weights[i]) % sum));
    let given: u32 = out.iter().sum();
    for &i in order.iter().take(total.saturating_sub(given) as usize) {
        out[i] += 1;
    }
    out
}

/// How many of `total` there are, where a study of `of` has `part` of them: rounded to the nearest.
pub(super) fn share(total: u32, part: u32, of: u32) -> u32 {
    let (total, part, of) = (u64::from(total), u64::from(part), u64::from(of.max(1)));
    u32::try_from((2 * total * part + of) / (2 * of)).unwrap_or(u32::MAX)
}

/// Numbers that look random and are always the same (splitmix64).
#[derive(Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// From a seed and what it is for.
    pub(super) fn new(seed: u64, purpose: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        for part in [purpose, number] {
            dice.0 = dice.next() ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        dice
    }

    /// The next one.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `below` − 1; 0 where there is no choice.
    pub(super) fn roll(&mut self, below: usize) -> usize {
        let below = below.max(1) as u64;
        usize::try_from(self.next() % below).unwrap_or(0)
    }

    /// Yes in `per_cent` of cases.
    pub(super) fn chance(&mut self, per_cent: usize) -> bool {
        self.roll(100) < per_cent
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.roll(all.len()))
    }
}

/// An order of the numbers below `total` that looks like chance: nothing has to be held in memory.
#[derive(Clone, Copy)]
pub(super) struct Order {
    total: u32,
    bits: u32,
    key: u64,
}

impl Order {
    /// The order of `total` numbers for a purpose.
    pub(super) fn new(total: u32, seed: u64, purpose: u64) -> Self {
        let bits = (32 - total.saturating_sub(1).leading_zeros()).div_ceil(2).max(1);
        Self { total, bits, key: Dice::new(seed, purpose, u64::from(total)).next() }
    }

    /// The place of a number, below `total`; every place is taken once. A Feistel network, walked until it lands within.
    pub(super) fn place(&self, number: u32) -> u32 {
        let mask = (1u32 << self.bits) - 1;
        let mut at = number;
        loop {
            let (mut left, mut right) = (at >> self.bits, at & mask);
            for round in 0..4 {
                let mixed = Dice::new(self.key, round, u64::from(right)).next();
                (left, right) = (right, left ^ (u32::try_from(mixed & u64::from(mask)).unwrap_or(0)));
            }
            at = left << self.bits | right;
            if at < self.total {
                return at;
            }
        }
    }

    /// Whether a number is among the first `count`: true for exactly so many.
    pub(super) fn among(&self, number: u32, count: u32) -> bool {
        self.place(number) < count
    }

    /// The value that stands at the number's place when `table` (equal steps, ascending) is spread over all of them; its mean is kept.
    pub(super) fn spread(&self, number: u32, table: &[u32]) -> u32 {
        let at = (2 * u64::from(self.place(number)) + 1) * table.len() as u64 / (2 * u64::from(self.total.max(1)));
        table.get(usize::try_from(at).unwrap_or(0)).or(table.last()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_keep_the_proportion() {
        assert_eq!(parts(163, &[25, 9, 19, 19, 24, 19, 10, 15, 23]), vec![25, 9, 19, 19, 24, 19, 10, 15, 23]);
        for total in [0, 1, 2, 7, 1_630, 19_999, 20_000] {
            assert_eq!(parts(total, &[25, 9, 19, 19, 24, 19, 10, 15, 23]).iter().sum::<u32>(), total);
        }
        assert_eq!((share(16_300, 5, 163), share(1, 5, 163), share(20, 5, 163)), (500, 0, 1));
    }

    #[test]
    fn an_order_takes_every_place_once() {
        for total in [1, 2, 3, 163, 168, 1_000] {
            let order = Order::new(total, 1, 2);
            let mut seen: Vec<u32> = (0..total).map(|n| order.place(n)).collect();
            assert!(total < 100 || seen.windows(2).filter(|w| w[1] == w[0] + 1).count() < 10);
            seen.sort_unstable();
            assert_eq!(seen, (0..total).collect::<Vec<_>>());
            assert_eq!((0..total).filter(|&n| order.among(n, total / 2)).count() as u32, total / 2);
        }
    }
}
