//! What each kind of layer costs: `layers MODEL THREADS [KERNELS]` prints a table.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use remrembg_native::{Layer, Network, Pool};

const RUNS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(model), Some(threads)) = (words.next(), words.next()) else {
        return Err("layers MODEL THREADS [KERNELS]".into());
    };
    let network =
        Network::load(&std::fs::read(model)?, &Pool::of(threads.parse()?), &words.next().unwrap_or_default())?;
    let shape = network.input();
    let input: Vec<_> = (0..shape.count()).map(|place| (place * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
    let runs: Vec<_> = (0..=RUNS).map(|_| network.measure(&input)).skip(1).collect();
    let mut kinds = BTreeMap::<String, (usize, Layer)>::new();
    for (step, layer) in runs[0].iter().enumerate() {
        let mut times: Vec<_> = runs.iter().map(|run| run[step].time).collect();
        times.sort();
        let mut sum = layer.clone();
        sum.time = times[RUNS / 2];
        kinds
            .entry(layer.name.clone())
            .and_modify(|(count, all)| {
                *count += 1;
                all.time += sum.time;
                all.multiplications += sum.multiplications;
                all.bytes += sum.bytes;
            })
            .or_insert((1, sum));
    }
    let mut kinds: Vec<_> = kinds.into_values().collect();
    kinds.sort_by_key(|(_, layer)| std::cmp::Reverse(layer.time));
    let total: Duration = kinds.iter().map(|(_, layer)| layer.time).sum();
    let peak = network.peak() / 1e9;
    println!("Kernels {}, {threads} thread(s), {:.1} ms in all.", network.kernels(), total.as_secs_f64() * 1e3);
    println!("One thread makes at most {peak:.0} billion multiplications of 32-bit floats a second.\n");
    println!("| Layers | Times | ms | 10⁹ multiplications by the formula | of them a second | MB | GB/s |");
    println!("|---|---|---|---|---|---|---|");
    for (count, layer) in kinds.iter().take(24) {
        let Layer { name, multiplications, bytes, time, .. } = layer;
        let (seconds, billions, megabytes) = (time.as_secs_f64(), *multiplications as f64 / 1e9, *bytes as f64 / 1e6);
        let (speed, traffic) = (billions / seconds, megabytes / 1e3 / seconds);
        println!(
            "| {name} | {count} | {:.2} | {billions:.3} | {speed:.0} | {megabytes:.1} | {traffic:.0} |",
            seconds * 1e3
        );
    }
    Ok(())
}
