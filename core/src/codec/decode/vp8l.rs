//! Lossless pictures of WebP (RFC 9649, section 3), as far as to what their codes take in memory.
//!
//! A picture may have as many groups of prefix codes as it says, whatever its size, and the decoder builds tables for all of
//! them. How many there are stands in a picture within the picture, behind others, so those are decoded here.

use std::sync::LazyLock;

const SIGNATURE: u32 = 0x2f;
const PREDICTOR: u32 = 0;
const COLOR: u32 = 1;
const COLOR_INDEXING: u32 = 3;

/// Symbols of the codes of a group: green, lengths and cached colours; red, blue and alpha; distances.
const LITERALS: usize = 256;
const LENGTHS: usize = 24;
const DISTANCES: usize = 40;
/// In which order the lengths of the code of lengths stand.
const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const LONGEST: usize = 15;

/// The decoder's tables: an entry for each code of so many bits, two nodes for each longer one, and what holds the five of a
/// group.
const TABLE_BITS: usize = 10;
const ENTRY: u64 = 4;
const NODE: u64 = 16;
const GROUP: u64 = 320;

/// Bytes of the tables of a picture, a chunk VP8L. `None` where it cannot be read so far.
pub(super) fn memory(chunk: &[u8]) -> Option<u64> {
    let mut bits = Bits { data: chunk, at: 0 };
    (bits.read(8)? == SIGNATURE).then_some(())?;
    let (width, height) = (bits.read(14)? + 1, bits.read(14)? + 1);
    let (_has_alpha, version) = (bits.read(1)?, bits.read(3)?);
    if version == 0 { tables(&mut bits, (width, height)) } else { None }
}

/// As [`memory`], of an alpha of this size, which has no header.
pub(super) fn memory_of_alpha(stream: &[u8], size: (u32, u32)) -> Option<u64> {
    tables(&mut Bits { data: stream, at: 0 }, size)
}

fn tables(bits: &mut Bits<'_>, (mut width, height): (u32, u32)) -> Option<u64> {
    let mut seen = [false; 4];
    while bits.read(1)? == 1 {
        let kind = bits.read(2)?;
        (!std::mem::replace(&mut seen[kind as usize], true)).then_some(())?;
        match kind {
            PREDICTOR | COLOR => {
                let side = 2 + bits.read(3)?;
                picture(bits, (blocks(width, side), blocks(height, side)))?;
            }
            COLOR_INDEXING => {
                let colors = bits.read(8)? + 1;
                picture(bits, (colors, 1))?;
                let packed = match colors {
                    0..=2 => 3,
                    3..=4 => 2,
                    5..=16 => 1,
                    _ => 0,
                };
                width = blocks(width, packed);
            }
            _ => {}
        }
    }
    let cached = cache_bits(bits)?;
    let groups = if bits.read(1)? == 1 {
        let side = 2 + bits.read(3)?;
        let numbers = picture(bits, (blocks(width, side), blocks(height, side)))?;
        numbers.iter().map(|argb| argb >> 8 & 0xffff).max()? + 1
    } else {
        1
    };
    let mut bytes = 0;
    for _ in 0..groups {
        bytes += GROUP + group(bits, cached)?.iter().map(Code::memory).sum::<u64>();
    }
    Some(bytes)
}

/// How many blocks of a side of 2 to the power of `bits` a side takes.
fn blocks(side: u32, bits: u32) -> u32 {
    side.div_ceil(1 << bits)
}

/// The pixels of a picture within the picture, as ARGB.
fn picture(bits: &mut Bits<'_>, (width, height): (u32, u32)) -> Option<Vec<u32>> {
    let cached = cache_bits(bits)?;
    let [green, red, blue, alpha, distance] = group(bits, cached)?;
    let mut cache = vec![0_u32; cached.map_or(0, |bits| 1 << bits)];
    let hashed = |argb: u32| (argb.wrapping_mul(0x1e35_a7bd) >> (32 - cached.unwrap_or(1))) as usize;
    let count = width as usize * height as usize;
    let mut pixels: Vec<u32> = Vec::new();
    while pixels.len() < count {
        let first = pixels.len();
        match usize::from(green.symbol(bits)?) {
            literal @ 0..LITERALS => {
                let [red, blue, alpha] = [red.symbol(bits)?, blue.symbol(bits)?, alpha.symbol(bits)?].map(u32::from);
                pixels.push(alpha << 24 | red << 16 | (literal as u32) << 8 | blue);
            }
            length if length < LITERALS + LENGTHS => {
                let length = prefixed(bits, length - LITERALS)?;
                let symbol = distance.symbol(bits)?;
                let code = prefixed(bits, symbol.into())?;
                let far = NEAR.get(code - 1).map_or(code.saturating_sub(NEAR.len()), |(x, y)| {
                    usize::try_from(x + y * i64::from(width)).unwrap_or(0).max(1)
                });
                let from = first.checked_sub(far).filter(|_| length <= count - first)?;
                (from..from + length).for_each(|at| pixels.push(pixels[at]));
            }
            cached => pixels.push(*cache.get(cached - LITERALS - LENGTHS)?),
        }
        if !cache.is_empty() {
            pixels[first..].iter().for_each(|argb| cache[hashed(*argb)] = *argb);
        }
    }
    Some(pixels)
}

/// The places that the first distances mean, across and up, nearest first.
static NEAR: LazyLock<Vec<(i64, i64)>> = LazyLock::new(|| {
    let above = (1..=7).flat_map(|y| (-7..=8).map(move |x| (x, y)));
    let mut near: Vec<(i64, i64)> = (1..=8).map(|x| (x, 0)).chain(above).collect();
    near.sort_by_key(|(x, y)| (x * x + y * y, -y, -x));
    near
});

/// A length or a distance: a symbol and the bits behind it.
fn prefixed(bits: &mut Bits<'_>, symbol: usize) -> Option<usize> {
    if symbol < 4 {
        return Some(symbol + 1);
    }
    let more = (symbol - 2) / 2;
    Some(((2 + symbol % 2) << more) + bits.read(more as u32)? as usize + 1)
}

/// How large the cache of colours is, where there is one.
fn cache_bits(bits: &mut Bits<'_>) -> Option<Option<u32>> {
    if bits.read(1)? == 0 {
        return Some(None);
    }
    Some(bits.read(4)?).filter(|bits| (1..=11).contains(bits)).map(Some)
}

fn group(bits: &mut Bits<'_>, cached: Option<u32>) -> Option<[Code; 5]> {
    let green = LITERALS + LENGTHS + cached.map_or(0, |bits| 1 << bits);
    let mut code = |symbols| Code::read(bits, symbols);
    Some([code(green)?, code(LITERALS)?, code(LITERALS)?, code(LITERALS)?, code(DISTANCES)?])
}

/// A canonical prefix code.
struct Code {
    /// How many codes there are of each length; all 0 where a single symbol takes no bits.
    counts: [usize; LONGEST + 1],
    /// By length, and of one length in their order.
    symbols: Vec<u16>,
}

impl Code {
    fn read(bits: &mut Bits<'_>, symbols: usize) -> Option<Self> {
        if bits.read(1)? == 0 {
            return Self::of(&lengths(bits, symbols)?);
        }
        let has_two = bits.read(1)? == 1;
        let first = if bits.read(1)? == 1 { bits.read(8)? } else { bits.read(1)? };
        let second = if has_two { Some(bits.read(8)?) } else { None };
        let both: Vec<u16> = [Some(first), second].into_iter().flatten().map(|symbol| symbol as u16).collect();
        let mut counts = [0; LONGEST + 1];
        counts[1] = if has_two { 2 } else { 0 };
        both.iter().all(|symbol| usize::from(*symbol) < symbols).then_some(Self { counts, symbols: both })
    }

    /// Of the length of each symbol's code, 0 where it has none.
    fn of(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; LONGEST + 1];
        let mut symbols: Vec<u16> = (0..lengths.len() as u16).filter(|at| lengths[usize::from(*at)] > 0).collect();
        if symbols.len() > 1 {
            symbols.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
            symbols.iter().for_each(|symbol| counts[usize::from(lengths[usize::from(*symbol)])] += 1);
            let taken: usize = counts.iter().enumerate().skip(1).map(|(bits, count)| count << (LONGEST - bits)).sum();
            (taken == 1 << LONGEST).then_some(())?;
        }
        (!symbols.is_empty()).then_some(Self { counts, symbols })
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Option<u16> {
        if let [symbol] = self.symbols[..] {
            return Some(symbol);
        }
        // The codes of a length follow on those of the one before; `first` is the first of them.
        let (mut code, mut first, mut at) = (0, 0, 0);
        for count in &self.counts[1..] {
            code += bits.read(1)? as usize;
            if code - first < *count {
                return self.symbols.get(at + code - first).copied();
            }
            at += count;
            first = (first + count) * 2;
            code *= 2;
        }
        None
    }

    /// What the decoder takes for it.
    fn memory(&self) -> u64 {
        let Some(longest) = self.counts.iter().rposition(|count| *count > 0) else { return 0 };
        let long: usize = self.counts[TABLE_BITS + 1..].iter().sum();
        (ENTRY << longest.min(TABLE_BITS)) + 2 * NODE * long as u64
    }
}

/// The length of each symbol's code, themselves packed by a code.
fn lengths(bits: &mut Bits<'_>, symbols: usize) -> Option<Vec<u8>> {
    let mut own = [0; ORDER.len()];
    let count = 4 + bits.read(4)? as usize;
    for at in ORDER.get(..count)? {
        own[*at] = bits.read(3)? as u8;
    }
    let code = Code::of(&own)?;
    let most = if bits.read(1)? == 1 {
        let width = 2 + 2 * bits.read(3)?;
        Some(2 + bits.read(width)? as usize).filter(|most| *most <= symbols)?
    } else {
        symbols
    };
    let (mut lengths, mut last) = (Vec::with_capacity(symbols), 8);
    for _ in 0..most {
        if lengths.len() == symbols {
            break;
        }
        let (length, times) = match code.symbol(bits)? as u8 {
            16 => (last, 3 + bits.read(2)?),
            17 => (0, 3 + bits.read(3)?),
            18 => (0, 11 + bits.read(7)?),
            length => (length, 1),
        };
        if length > 0 {
            last = length;
        }
        lengths.resize(lengths.len() + times as usize, length);
    }
    lengths.resize(lengths.len().max(symbols), 0);
    (lengths.len() == symbols).then_some(lengths)
}

/// Bits, the lowest of each byte first.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// Up to 24 bits.
    fn read(&mut self, count: u32) -> Option<u32> {
        let end = self.at + count as usize;
        if end > 8 * self.data.len() {
            return None;
        }
        let near = &self.data[self.at / 8..];
        let bytes = std::array::from_fn(|at| near.get(at).copied().unwrap_or(0));
        let value = u32::from_le_bytes(bytes) >> (self.at % 8) & ((1 << count) - 1);
        self.at = end;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use remrembg_webp::{Encoder, Layout, Picture};

    use super::*;

    /// The chunk of a picture, as libwebp packs it.
    fn packed((width, height): (u32, u32), pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
        let data: Vec<u8> =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        let picture = Picture { data: &data, width, height, stride: width as usize * 4, layout: Layout::Rgba };
        let encoder = Encoder { lossless: true, method: 3, quality: 60.0, ..Encoder::default() };
        let file = encoder.encode(&picture, None, &mut |_| true).expect("it encodes");
        assert_eq!(file[12..16], *b"VP8L");
        file[20..].to_vec()
    }

    #[test]
    fn every_kind_of_picture_is_read() {
        let noise = |x: u32, y: u32| {
            (x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35) >> 24
        };
        // One code of a single symbol each takes nothing.
        assert_eq!(memory(&packed((40, 30), |_, _| [9, 80, 200, 255])), Some(GROUP));
        let few =
            memory(&packed((300, 200), |x, y| [[9, 80, 200, 255], [1, 2, 3, 255]][(noise(x / 4, y / 3) % 2) as usize]));
        assert!(few.is_some_and(|bytes| (GROUP..20_000).contains(&bytes)), "{few:?}");
        let smooth = memory(&packed((600, 400), |x, y| [(x / 3) as u8, (y / 2) as u8, (x + y) as u8, 255]));
        assert!(smooth.is_some(), "predicted");
        // Parts that differ have codes of their own.
        let parts = memory(&packed((400, 300), |x, y| {
            let noise = noise(x, y) as u8;
            match (x / 100 + y / 75) % 4 {
                0 => [noise, 0, 0, 255],
                1 => [0, noise % 16, noise, 255],
                2 => [x as u8, y as u8, noise / 8, 255],
                _ => [noise / 64, noise / 64, noise / 32, 255],
            }
        }));
        assert!(parts > Some(4 * GROUP) && parts < Some(2_000_000), "{parts:?}");
    }

    #[test]
    fn an_alpha_is_read_as_a_picture_without_its_header() {
        let chunk = packed((300, 200), |x, y| [0, (x * y / 50) as u8, 0, 255]);
        assert!(memory(&chunk) > Some(GROUP));
        assert_eq!(memory_of_alpha(&chunk[5..], (300, 200)), memory(&chunk));
    }

    #[test]
    fn what_is_cut_short_or_no_picture_is_not_read() {
        let whole = packed((300, 200), |x, y| [x as u8, y as u8, (x * y) as u8, 255]);
        assert!(memory(&whole).is_some());
        for length in 0..20 {
            assert_eq!(memory(&whole[..length]), None, "{length}");
        }
        let mut other = whole;
        other[0] = 0x2e;
        assert_eq!(memory(&other), None);
    }
}
