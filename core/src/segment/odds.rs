//! Log odds of what a view makes of a place, and back. Made of sums and products alone, so that loops of them are many
//! numbers wide.

use std::f32::consts::{LN_2, LOG2_E};

/// How far from 0 and 1 a view's certainty ends, so that one view alone decides nothing.
const DOUBT: f32 = 0.02;

#[inline(always)]
pub(super) fn log_odds(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    ln((value + DOUBT) / (1.0 + DOUBT - value))
}

/// Undoes [`log_odds`].
#[inline(always)]
pub(super) fn value_of(log_odds: f32) -> f32 {
    (1.0 + 2.0 * DOUBT) / (1.0 + exp(-log_odds)) - DOUBT
}

/// The natural logarithm of what is above 0: x = m·2ⁿ with m between √½ and √2, and ln m = 2·artanh((m − 1) / (m + 1)) by its
/// series.
#[inline(always)]
fn ln(x: f32) -> f32 {
    const ROOT_OF_HALF: u32 = 0x3f35_04f3;
    let n = x.to_bits().wrapping_sub(ROOT_OF_HALF).cast_signed() >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((n << 23).cast_unsigned()));
    let t = (m - 1.0) / (m + 1.0);
    let s = t * t;
    2.0 * t * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s / 7.0))) + n as f32 * LN_2
}

/// The exponential of what is between -80 and 80: eˣ = 2ⁿ·eʸ with y of at most ln 2 / 2, by its series.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // From 2²³ on floats are whole numbers, and the lowest bits of theirs count up.
    const WHOLE: f32 = 12_582_912.0;
    let nearest = x * LOG2_E + WHOLE;
    let n = nearest.to_bits().wrapping_sub(WHOLE.to_bits());
    let y = x - (nearest - WHOLE) * LN_2;
    let power = 1.0 + y * (1.0 + y * (1.0 / 2.0 + y * (1.0 / 6.0 + y * (1.0 / 24.0 + y * (1.0 / 120.0 + y / 720.0)))));
    f32::from_bits(power.to_bits().wrapping_add(n << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_and_exponential_are_right_to_six_digits() {
        for step in -4000..=4000_i16 {
            let x = f32::from(step) / 1000.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-6, "e to the {x}");
            assert!((ln(x.exp()) - x).abs() < 1e-6, "of {}", x.exp());
        }
    }

    #[test]
    fn a_value_comes_back() {
        for step in 0..=1000_u16 {
            let value = f32::from(step) / 1000.0;
            assert!((value_of(log_odds(value)) - value).abs() < 1e-5, "{value}");
        }
        assert!(log_odds(0.0) < -3.9 && log_odds(1.0) > 3.9 && log_odds(0.5).abs() < 1e-6);
    }
}
