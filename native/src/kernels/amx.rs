//! AMX: eight registers of 16 × 16 numbers. All else is as with AVX-512, which every processor with AMX has.

use std::arch::asm;
use std::arch::x86_64::{
    __cpuid_count, __m256bh, __m256i, _mm256_storeu_si256, _mm512_cvtneps_pbh, _mm512_loadu_ps, _xgetbv,
};
use std::mem::transmute;

use super::matrices::{LINES, Matrices, check, rounded};
use super::{Kernels, avx512};

/// How registers are shaped: all eight have 16 rows of 64 bytes.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    first_row: u8,
    reserved: [u8; 14],
    bytes: [u16; 16],
    rows: [u8; 16],
}

static SHAPES: Shapes = Shapes {
    palette: 1,
    first_row: 0,
    reserved: [0; 14],
    bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

pub(super) fn kernels() -> Option<Kernels> {
    let matrices = Matrices { may_run: is_permitted, begin, end, round, wide, narrow };
    avx512::kernels().filter(|_| has_amx()).map(|kernels| Kernels { name: "amx", matrices: Some(matrices), ..kernels })
}

/// Whether the processor multiplies matrices of bfloat16, and the system saves their registers.
fn has_amx() -> bool {
    if !(cfg!(target_os = "linux") && is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("xsave")) {
        return false;
    }
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    const SAVED: u64 = 0b11 << 17;
    let features = __cpuid_count(7, 0).edx;
    #[expect(unsafe_code, reason = "the instruction is there, as was just asked")]
    // SAFETY: as above.
    let saved = unsafe { _xgetbv(0) };
    features & (BF16 | TILE) == BF16 | TILE && saved & SAVED == SAVED
}

/// Asks Linux for the registers, which a process must do once; again does no harm ("Using XSTATE features in user space applications", in the
/// kernel's documentation). It refuses where a thread has a stack for signals that is too small to save them.
fn is_permitted() -> bool {
    const ARCH_PRCTL: usize = 158;
    const REQUEST: usize = 0x1023;
    const TILES: usize = 18;
    let result: isize;
    #[expect(unsafe_code, reason = "a system call")]
    // SAFETY: this call touches no memory of the process.
    unsafe {
        asm!(
            "syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") REQUEST, in("rsi") TILES,
            out("rcx") _, out("r11") _, options(nostack),
        );
    }
    result == 0
}

#[expect(unsafe_code, reason = "instructions that Rust has no names for")]
unsafe fn begin() {
    // SAFETY: the shapes are those of palette 1. No function expects these registers to stay as they were, or to be free.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &SHAPES, options(nostack, readonly, preserves_flags)) }
}

#[expect(unsafe_code, reason = "as above")]
unsafe fn end() {
    // SAFETY: as above.
    unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) }
}

#[target_feature(enable = "avx512f,avx512bf16")]
#[expect(unsafe_code, reason = "registers are loaded from pointers, whose bounds are checked before")]
fn round(from: &[f32], channels: usize, to: &mut [u16], pixel: usize) {
    for (from, to) in from.chunks_exact(channels).zip(to.chunks_mut(pixel)) {
        let (from, from_rest) = from.as_chunks::<16>();
        let (to, to_rest) = to[..channels].as_chunks_mut::<16>();
        for (from, to) in from.iter().zip(to) {
            // SAFETY: there are sixteen of each, and sixteen numbers of 16 bits are a register, whatever it is called.
            unsafe {
                let halves = _mm512_cvtneps_pbh(_mm512_loadu_ps(from.as_ptr()));
                _mm256_storeu_si256(to.as_mut_ptr().cast(), transmute::<__m256bh, __m256i>(halves));
            }
        }
        for (to, from) in to_rest.iter_mut().zip(from_rest) {
            *to = rounded(*from);
        }
    }
}

/// Sums of 2 × 2 registers, two registers of pixels, and two of weights.
#[expect(unsafe_code, reason = "instructions that Rust has no names for")]
unsafe fn wide(lines: &[&[u16]; LINES], pixel: usize, weights: &[u32], sums: &mut [f32]) {
    let steps = check(lines, pixel, weights, sums, (32, 32));
    let lines = lines.map(<[u16]>::as_ptr);
    // SAFETY: `check` saw that each line has the places of all steps for 32 pixels, that there are weights for all steps of
    // three lines, 2 KB each, and 4 KB of sums. `begin` shaped the registers.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "2:",
            "mov {first}, [{lines}]",
            "mov {second}, {pixel}",
            "shl {second}, 4",
            "add {second}, {first}",
            "mov {left}, {steps}",
            "3:",
            "tileloadd tmm4, [{first} + {pixel}*1]",
            "tileloadd tmm6, [{weights} + {row}*1]",
            "tileloadd tmm5, [{second} + {pixel}*1]",
            "tileloadd tmm7, [{weights} + {row}*1 + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {first}, 64",
            "add {second}, 64",
            "add {weights}, 2048",
            "sub {left}, 1",
            "jnz 3b",
            "add {lines}, 8",
            "sub {count}, 1",
            "jnz 2b",
            "add {row}, {row}",
            "tilestored [{sums} + {row}*1], tmm0",
            "tilestored [{sums} + {row}*1 + 64], tmm1",
            "tilestored [{sums} + {row}*1 + 2048], tmm2",
            "tilestored [{sums} + {row}*1 + 2112], tmm3",
            lines = inout(reg) lines.as_ptr() => _, count = inout(reg) LINES => _,
            first = out(reg) _, second = out(reg) _, left = out(reg) _,
            pixel = in(reg) 2 * pixel, steps = in(reg) steps, row = inout(reg) 64_usize => _,
            weights = inout(reg) weights.as_ptr() => _, sums = in(reg) sums.as_mut_ptr(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// Sums of 4 × 1 registers: fewer would wait for each other.
#[expect(unsafe_code, reason = "as above")]
unsafe fn narrow(lines: &[&[u16]; LINES], pixel: usize, weights: &[u32], sums: &mut [f32]) {
    let steps = check(lines, pixel, weights, sums, (64, 16));
    let lines = lines.map(<[u16]>::as_ptr);
    // SAFETY: as above, for 64 pixels, with 1 KB of weights a step.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "2:",
            "mov {first}, [{lines}]",
            "mov {left}, {steps}",
            "3:",
            "tileloadd tmm6, [{weights} + {row}*1]",
            "tileloadd tmm4, [{first} + {pixel}*1]",
            "lea {next}, [{first} + {sixteen}]",
            "tileloadd tmm5, [{next} + {pixel}*1]",
            "add {next}, {sixteen}",
            "tileloadd tmm7, [{next} + {pixel}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "add {next}, {sixteen}",
            "tileloadd tmm4, [{next} + {pixel}*1]",
            "tdpbf16ps tmm1, tmm5, tmm6",
            "tdpbf16ps tmm2, tmm7, tmm6",
            "tdpbf16ps tmm3, tmm4, tmm6",
            "add {first}, 64",
            "add {weights}, 1024",
            "sub {left}, 1",
            "jnz 3b",
            "add {lines}, 8",
            "sub {count}, 1",
            "jnz 2b",
            "tilestored [{sums} + {row}*1], tmm0",
            "tilestored [{sums} + {row}*1 + 1024], tmm1",
            "tilestored [{sums} + {row}*1 + 2048], tmm2",
            "tilestored [{sums} + {row}*1 + 3072], tmm3",
            lines = inout(reg) lines.as_ptr() => _, count = inout(reg) LINES => _,
            first = out(reg) _, next = out(reg) _, left = out(reg) _,
            pixel = in(reg) 2 * pixel, sixteen = in(reg) 32 * pixel, steps = in(reg) steps, row = in(reg) 64_usize,
            weights = inout(reg) weights.as_ptr() => _, sums = in(reg) sums.as_mut_ptr(),
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
