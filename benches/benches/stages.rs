//! Each stage by itself, at every size: `make bench`.

use std::error::Error;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use remrembg::bench::{self, Pool};
use remrembg::{Control, Format, Limits, Pixels, Remover, decode_input};
use remrembg_benches::{MEGAPIXELS, SETUPS, jpeg, name, photo, remover, sized};

/// How much smaller a cut-out is made, and how far it is turned.
const SMALLER: u32 = 2;
const ANGLE: f64 = 30.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let photo = photo()?;
    for setup in SETUPS {
        let (engine, threads) = setup;
        let remover = remover(setup)?;
        let input = bench::tensor(&remover, &photo, &Pool::of(threads))?;
        let mut group = criterion.benchmark_group("inference");
        group.sample_size(10).measurement_time(Duration::from_secs(5));
        group.bench_function(format!("{engine}, threads: {threads}"), |bencher| {
            bencher.iter_batched(
                || input.clone(),
                |input| bench::infer(&remover, input).map(drop).expect("it infers"),
                BatchSize::PerIteration,
            );
        });
    }
    let remover = remover(SETUPS[0])?;
    for megapixels in MEGAPIXELS {
        let case = Case::of(&remover, sized(&photo, megapixels)?)?;
        let mut group = criterion.benchmark_group(name(megapixels));
        group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(u64::from(case.photo.width()) * u64::from(case.photo.height())));
        case.measure(&mut group, &remover);
    }
    criterion.final_summary();
    Ok(())
}

/// What the stages take, each from the one before it.
struct Case {
    file: Vec<u8>,
    photo: Pixels,
    mask: Pixels,
    alpha: Pixels,
    cut: Pixels,
}

impl Case {
    fn of(remover: &Remover, photo: Pixels) -> Result<Self, Box<dyn Error>> {
        let pool = &Pool::of(2);
        let output = bench::infer(remover, bench::tensor(remover, &photo, pool)?)?;
        let mask = bench::mask(remover, &output)?;
        let alpha = bench::refine(mask.clone(), &photo, pool)?;
        let cut = bench::compose(bench::colors(photo.clone(), &alpha, pool)?, &alpha);
        Ok(Self { file: jpeg(&photo)?, photo, mask, alpha, cut })
    }

    fn measure(&self, group: &mut BenchmarkGroup<'_, WallTime>, remover: &Remover) {
        let Self { file, photo, mask, alpha, cut } = self;
        let pools = &[1, 2].map(Pool::of);
        let [one, two] = pools;
        group.bench_function("decode JPEG", |b| {
            b.iter(|| decode_input(file, &Limits::default(), &Control::default()).expect("the stage works"))
        });
        for pool in pools {
            let threads = pool.threads();
            group.bench_function(format!("tensor, threads: {threads}"), |b| {
                b.iter(|| bench::tensor(remover, photo, pool).map(drop).expect("the stage works"));
            });
            group.bench_function(format!("upsample, threads: {threads}"), |b| {
                b.iter(|| bench::upsample(mask.clone(), photo, pool).expect("the stage works"));
            });
            group.bench_function(format!("refine, threads: {threads}"), |b| {
                b.iter(|| bench::refine(mask.clone(), photo, pool).expect("the stage works"));
            });
            group.bench_function(format!("colours, threads: {threads}"), |b| {
                let colours = |photo| bench::colors(photo, alpha, pool).expect("the stage works");
                b.iter_batched(|| photo.clone(), colours, BatchSize::PerIteration);
            });
        }
        group.bench_function("compose", |b| {
            b.iter_batched(|| photo.clone(), |photo| bench::compose(photo, alpha), BatchSize::PerIteration);
        });
        let half = (cut.width() / SMALLER, cut.height() / SMALLER);
        group.bench_function("resize to half", |b| {
            b.iter_batched(
                || cut.clone(),
                |cut| bench::resize(cut, half).expect("the stage works"),
                BatchSize::PerIteration,
            );
        });
        group.bench_function("rotate by 30°", |b| {
            b.iter_batched(
                || cut.clone(),
                |cut| bench::rotate(cut, ANGLE, two).expect("the stage works"),
                BatchSize::PerIteration,
            );
        });
        for pool in pools {
            let threads = pool.threads();
            group.bench_function(format!("encode png, threads: {threads}"), |b| {
                b.iter(|| bench::encode(cut, Format::Png, pool).expect("the stage works"))
            });
        }
        for format in [Format::Webp, Format::Bmp] {
            group.bench_function(format!("encode {}", format.name()), |b| {
                b.iter(|| bench::encode(cut, format, one).expect("the stage works"))
            });
        }
        group.bench_function("encode jpeg", |b| {
            b.iter(|| bench::encode(photo, Format::Jpeg, one).expect("the stage works"))
        });
    }
}
