//! Matrix products on one core, at every level of the CPU, beside numpy's, beside their multiplications alone and, on
//! AMX's tiles, beside our own without them. A line each for `report.py`.

#[path = "../issue.rs"]
mod issue;

use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use veilgrid_benches::{Beside, PRODUCTS, Row, Wanted, levels};
use veilgrid_kernels::matmul::{Shape, multiply_add};
use veilgrid_kernels::{Device, Level, Word};

const SIDE: usize = 1024;
const ROUNDS: usize = 11;
const LEVELS: [Level; 4] = [Level::Avx2, Level::Avx512, Level::Ifma, Level::Amx];

/// What is asked for, of the multiplications alone, of numpy's, and of AMX.
struct Limits {
    issue: Wanted,
    numpy: Wanted,
    tiles: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let issue = Wanted::of(0.9, 0.85);
    products::<u64>("u64", Limits { issue, numpy: Wanted::of(40.0, 15.0), tiles: 1.5 })?;
    products::<u32>("u32", Limits { issue, numpy: Wanted::of(100.0, 60.0), tiles: 2.5 })
}

fn products<T: Word>(name: &str, limits: Limits) -> Result<(), Box<dyn Error>> {
    let shape = Shape { rows: SIDE, inner: SIDE, columns: SIDE };
    let factor: Vec<T> =
        (0..SIDE * SIDE).map(|i| T::from_le(&(i as u64).to_le_bytes()[..size_of::<T>()])).collect();
    let product = |device: &Device, acc: &mut [T]| {
        multiply_add(device, shape, &factor, &factor, black_box(acc)).expect("a product");
    };
    let numpy = numpy(name).inspect_err(|error| eprintln!("left out, numpy: {error}")).ok();
    let (mut acc, mut other) = (factor.clone(), factor.clone());
    for (level, device) in &levels(&LEVELS)? {
        let work = &format!("{name} matrices");
        let row = |peer, wanted| Row { table: "matmul", work, size: "1024^3", peer, unit: PRODUCTS, wanted };
        let amounts = (SIDE.pow(3), SIDE.pow(3));
        let mut beside =
            |peer: &mut dyn FnMut()| Beside::processor(ROUNDS, || product(device, &mut acc), peer);
        let times = if *level == Level::Amx {
            let without = Device::cpu_at(Level::Ifma)?.with_threads(1);
            let times = beside(&mut || product(&without, &mut other));
            row("our `ifma`", Wanted::default()).print(*level, amounts, &times);
            let without = Device::cpu_at(Level::Avx512)?.with_threads(1);
            let times =
                Beside::processor(ROUNDS, || product(device, &mut acc), || product(&without, &mut other));
            row("our `avx512`", Wanted::both(limits.tiles)).print(*level, amounts, &times);
            times
        } else {
            let vectors = SIDE.pow(3) * 8 * size_of::<T>() / issue::width(*level);
            let times = beside(&mut || issue::multiplications(*level, size_of::<T>() == 8, vectors));
            row("multiply instructions alone", limits.issue).print(*level, amounts, &times);
            times
        };
        if let Some((version, seconds)) = &numpy {
            let peer = format!("`numpy` {version}");
            row(&peer, limits.numpy).print(*level, amounts, &times.with_peer(*seconds));
        }
    }
    Ok(())
}

/// Its version, and the seconds that it takes.
fn numpy(name: &str) -> Result<(String, f64), Box<dyn Error>> {
    let script = format!(
        "import numpy as n, time\na = n.arange({SIDE} * {SIDE}, dtype=n.{}).reshape({SIDE}, {SIDE})\n\
         t = time.thread_time()\na @ a\nprint(n.__version__, time.thread_time() - t)",
        name.replace('u', "uint")
    );
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).args(["-c", &script]).output()?;
    let told = String::from_utf8(output.stdout)?;
    let (version, seconds) = told.trim().split_once(' ').ok_or("it is not installed")?;
    Ok((version.to_owned(), seconds.parse()?))
}
