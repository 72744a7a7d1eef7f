//! Plain loops, compiled a second time for wider registers.

/// Evaluates an expression that is compiled twice: as everything is, and for AVX2, which runs where the processor has
/// it. Loops in it, and in what it calls that is `#[inline(always)]`, are then made eight numbers wide. No product is
/// fused with a sum, so both give the same bits.
#[macro_export]
macro_rules! widened {
    ($run:expr) => {
        match $crate::Wide::new() {
            Some(wide) => wide.run(|| $run),
            None => $run,
        }
    };
}

/// Says that the processor has AVX2. For [`widened`](crate::widened).
#[derive(Clone, Copy)]
pub struct Wide(());

impl Wide {
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
