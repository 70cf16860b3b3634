//! PostgreSQL's `hashtextextended`, for both seeds at once.
//!
//! It is Bob Jenkins' `lookup3`. Hash partitions rest on it, so that no version of
//! the server may change what it answers.

/// The seeds of the two sums.
pub(super) const SEEDS: [u64; 2] = [0, 7919];

const BLOCK: usize = 12;

/// The hashes of a text.
pub(super) fn of(text: &[u8]) -> [u64; 2] {
    let mut hash = TextHash::new(text.len());
    hash.update(text);
    hash.finish()
}

/// `hashint8extended` of each hash, with the other as its seed.
pub(super) fn mixed([first, second]: [u64; 2]) -> [u64; 2] {
    [of_number(first, second), of_number(second, first)]
}

/// `hashint8extended`, which folds a number to 32 bits and hashes these.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the server takes the halves of a number"
)]
fn of_number(number: u64, seed: u64) -> u64 {
    let (high, low) = ((number >> 32) as u32, number as u32);
    let high = if number.cast_signed() >= 0 {
        high
    } else {
        !high
    };
    State::new(size_of::<u32>(), seed).last([low ^ high, 0, 0])
}

/// Hashes a text that comes in parts.
pub(super) struct TextHash {
    states: [State; 2],
    block: [u8; BLOCK],
    filled: usize,
}

impl TextHash {
    /// The whole length has to be known first.
    pub(super) fn new(length: usize) -> Self {
        Self {
            states: SEEDS.map(|seed| State::new(length, seed)),
            block: [0; BLOCK],
            filled: 0,
        }
    }

    pub(super) fn update(&mut self, part: &[u8]) {
        let mut part = part;
        if self.filled > 0 {
            let (head, rest) = part.split_at(part.len().min(BLOCK - self.filled));
            self.keep(head);
            part = rest;
            if self.filled < BLOCK {
                return;
            }
            let block = self.block;
            self.take(&block);
            self.filled = 0;
        }
        let (blocks, rest) = part.as_chunks::<BLOCK>();
        for block in blocks {
            self.take(block);
        }
        self.keep(rest);
    }

    pub(super) fn finish(mut self) -> [u64; 2] {
        self.block[self.filled..].fill(0);
        let [a, b, c] = words(&self.block);
        // The lowest byte of the last word belongs to the length.
        self.states.map(|state| state.last([a, b, c << 8]))
    }

    fn keep(&mut self, part: &[u8]) {
        let filled = self.filled + part.len();
        self.block[self.filled..filled].copy_from_slice(part);
        self.filled = filled;
    }

    fn take(&mut self, block: &[u8; BLOCK]) {
        let block = words(block);
        for state in &mut self.states {
            *state = state.plus(block).mixed();
        }
    }
}

fn words(block: &[u8; BLOCK]) -> [u32; 3] {
    let (words, _) = block.as_chunks::<4>();
    [words[0], words[1], words[2]].map(u32::from_le_bytes)
}

#[derive(Clone, Copy)]
struct State([u32; 3]);

impl State {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the server's lengths are of 32 bits, and the seed's halves are"
    )]
    fn new(length: usize, seed: u64) -> Self {
        let start = 0x9e37_79b9_u32
            .wrapping_add(length as u32)
            .wrapping_add(3_923_095);
        let state = Self([start; 3]);
        if seed == 0 {
            state
        } else {
            state.plus([(seed >> 32) as u32, seed as u32, 0]).mixed()
        }
    }

    fn plus(self, block: [u32; 3]) -> Self {
        let [a, b, c] = self.0;
        Self([
            a.wrapping_add(block[0]),
            b.wrapping_add(block[1]),
            c.wrapping_add(block[2]),
        ])
    }

    fn mixed(self) -> Self {
        let [mut a, mut b, mut c] = self.0;
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        Self([a, b, c])
    }

    fn last(self, block: [u32; 3]) -> u64 {
        let [mut a, mut b, mut c] = self.plus(block).0;
        c = (c ^ b).wrapping_sub(b.rotate_left(14));
        a = (a ^ c).wrapping_sub(c.rotate_left(11));
        b = (b ^ a).wrapping_sub(a.rotate_left(25));
        c = (c ^ b).wrapping_sub(b.rotate_left(16));
        a = (a ^ c).wrapping_sub(c.rotate_left(4));
        b = (b ^ a).wrapping_sub(a.rotate_left(14));
        c = (c ^ b).wrapping_sub(b.rotate_left(24));
        u64::from(b) << 32 | u64::from(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server says: `select hashint8extended(…, …)`.
    #[test]
    fn hashes_of_numbers_are_the_servers() {
        for (number, seed, expected) in [
            (0, 0, 4_154_612_158_245_552_303),
            (1, 7919, 8_830_926_001_953_793_535),
            (-1, -1, 6_481_520_839_006_961_279),
            (i64::MIN, i64::MAX, -5_540_649_945_927_983_454),
            (
                81_985_529_216_486_895,
                -81_985_529_216_486_896,
                1_405_024_040_388_124_441,
            ),
        ] {
            let found = of_number(i64::cast_unsigned(number), i64::cast_unsigned(seed));
            assert_eq!(found.cast_signed(), expected, "{number} {seed}");
        }
    }

    /// What a server says: `select hashtextextended(…, 0), hashtextextended(…, 7919)`.
    #[test]
    fn hashes_are_the_servers() {
        for (text, expected) in [
            ("", [-6_939_563_903_564_495_251, 7_929_619_906_713_028_055]),
            ("a", [3_591_986_179_850_072_241, -2_264_001_605_316_725_258]),
            (
                "eleven byte",
                [-1_446_953_353_892_728_106, -6_193_211_461_827_615_044],
            ),
            (
                "twelve bytes",
                [-7_123_776_401_673_968_163, -3_060_599_513_539_993_180],
            ),
            (
                "thirteen byte",
                [-1_147_533_121_609_491_268, -7_162_050_109_727_246_534],
            ),
            (
                "Château 🍷 with more than two blocks",
                [1_552_245_094_582_260_940, -8_145_863_291_560_548_080],
            ),
        ] {
            assert_eq!(
                of(text.as_bytes()).map(u64::cast_signed),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn parts_make_no_difference() {
        let text: Vec<u8> = (0..100).collect();
        for length in 0..text.len() {
            for at in 0..=length {
                let (head, tail) = text[..length].split_at(at);
                let mut hash = TextHash::new(length);
                hash.update(head);
                hash.update(tail);
                assert_eq!(hash.finish(), of(&text[..length]), "{length} at {at}");
            }
        }
    }
}
