//! Plain loops, compiled a second time for wider registers.

/// Evaluates an expression that is compiled twice: once as all code here is, and once more for processors with AVX2, on
/// which that one runs. Loops in it, and in functions it calls that are `#[inline(always)]`, then work on eight numbers
/// at once. No product is fused with a sum, so both give the same bits. The expression must not contain `?`, `return` or
/// `break`: it may be the body of a closure.
#[macro_export]
macro_rules! widened {
    ($run:expr) => {
        match $crate::Avx2::new() {
            Some(avx2) => avx2.run(|| $run),
            None => $run,
        }
    };
}

/// Says that the processor has AVX2. For [`widened`](crate::widened).
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// `None` where it does not.
    #[must_use]
    pub fn new() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let is_there = is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let is_there = false;
        is_there.then_some(Self(()))
    }

    /// What is called here is compiled for AVX2, as far as it is inlined.
    #[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "only the processor can tell what it can run"))]
    pub fn run<R>(self, run: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `new` looked at the processor.
        return unsafe { with_avx2(run) };
        #[cfg(not(target_arch = "x86_64"))]
        run()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<R>(run: impl FnOnce() -> R) -> R {
    run()
}

#[cfg(test)]
mod tests {

    #[inline(always)]
    fn mixed(values: &[f32]) -> Vec<u32> {
        values.iter().zip(values.iter().rev()).map(|(one, other)| (one * other + one / other - 0.3).to_bits()).collect()
    }

    #[test]
    fn wide_loops_give_the_same_bits() {
        let values: Vec<f32> = (1..1000_u16).map(|at| f32::from(at).sqrt() / 7.0).collect();
        assert_eq!(widened!(mixed(&values)), mixed(&values));
    }
}
