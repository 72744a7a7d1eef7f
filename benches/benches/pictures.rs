//! A picture from bytes to bytes, at every size: `make bench`.

use std::error::Error;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use remrembg_benches::{MEGAPIXELS, SETUPS, jpeg, name, photo, remover, sized};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let photo = photo()?;
    for megapixels in MEGAPIXELS {
        let picture = sized(&photo, megapixels)?;
        let file = jpeg(&picture)?;
        let mut group = criterion.benchmark_group(format!("JPEG of {}", name(megapixels)));
        group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        group.throughput(Throughput::Elements(u64::from(picture.width()) * u64::from(picture.height())));
        for setup in SETUPS {
            let (engine, threads) = setup;
            let remover = remover(setup)?;
            for format in ["png", "webp"] {
                group.bench_function(format!("to {format}, {engine}, threads: {threads}"), |bencher| {
                    bencher.iter(|| remover.job(&file).pairs([("format", format)]).run().expect("it is a picture"));
                });
            }
        }
    }
    criterion.final_summary();
    Ok(())
}
