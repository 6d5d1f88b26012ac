//! The number-theoretic transform of `Field64`: values of a polynomial at all roots of unity of one order, and back.

use super::{Field, Field64, words_mut};
use crate::cpu::ntt::{Far, Few, Near};
use crate::cpu::{Arch, Cpu, Lanes64};
use crate::device::Backend;
use crate::error::sized;
use crate::{Device, KernelError};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Columns that are transformed side by side: a cache line, and a whole number of vectors at every level.
pub(crate) const WIDE: usize = 8;
/// Elements of the largest transform that goes one element at a time.
pub(crate) const MOST_SMALL: usize = 32;
/// Binary logarithm of the largest transform that goes over its memory pass by pass: it and its room are 384 KiB.
const MOST_NEAR: u32 = 14;
/// Binary logarithm of the highest order of a root of unity.
const MOST: u32 = 32;
/// A root of that order: `7^(2^32 - 1)`, the generator that VDAF takes.
const ROOT: u64 = 1_753_635_133_440_165_772;

/// A transform of one size, with its tables; usable from any thread.
///
/// With `n` elements and `w` their root of unity ([`Ntt::root`]) the forward transform turns the coefficients of a
/// polynomial, that of `x^0` first, into its values at `1, w, w^2, ...`; both are in their natural order. This is the
/// order and the root of VDAF (draft-irtf-cfrg-vdaf) and of the `prio` crate.
///
/// ```
/// use veilgrid_kernels::{Device, Field64, field::{self, Field, Ntt}};
///
/// let (device, ntt) = (Device::cpu()?, Ntt::new(2)?);
/// let mut values = field::elements::<Field64>(&[5, 7, 0, 0])?.to_vec();
/// ntt.forward(&device, &mut values)?;
/// assert_eq!((values[0].get(), values[2].get()), (12, Field64::MODULUS - 2)); // 5 + 7 x at 1 and at -1
/// ntt.inverse(&device, &mut values)?;
/// assert_eq!(field::words(&values), [5, 7, 0, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ntt {
    log: u32,
    forward: Plan,
    inverse: Plan,
    /// Rooms to work in, kept from call to call: one for each thread that there was at once. Nothing of a call stays in them.
    rooms: Mutex<Vec<Vec<u64>>>,
}

/// The tables of one direction.
enum Plan {
    Small(Small),
    Near(Head, Rows),
    Split(Split),
}

/// A transform of up to [`MOST_SMALL`] elements.
pub(crate) struct Small {
    /// The powers of the root, as many as half the elements.
    pub(crate) roots: Vec<u64>,
    pub(crate) scale: u64,
}

/// The first pass of a transform that goes on in rows.
pub(crate) struct Head {
    /// The factor of result `j` of group `p` is at `(p / 8, j, p % 8)`.
    pub(crate) twiddles: Vec<u64>,
    /// Whether those of result 0 are not all 1.
    pub(crate) scaled: bool,
}

/// A transform of rows of [`WIDE`] words, pass by pass.
pub(crate) struct Rows {
    log: u32,
    pub(crate) inverse: bool,
    pub(crate) passes: Vec<Pass>,
    pub(crate) twiddles: Vec<u64>,
}

/// One pass.
pub(crate) struct Pass {
    /// How many rows are combined: 2, 4 or 8.
    pub(crate) radix: usize,
    /// Rows of each of the transforms that are left.
    pub(crate) length: usize,
    /// Where its factors begin: `radix - 1` for each group.
    pub(crate) twiddles: usize,
}

/// A transform as a matrix: its columns, a factor for each element, its rows.
pub(crate) struct Split {
    pub(crate) columns: Rows,
    pub(crate) rows: Rows,
    /// The factor of row `i` of a column is the column's base to the power of `i`.
    pub(crate) bases: Vec<u64>,
    pub(crate) scale: u64,
}

impl Ntt {
    /// The transform of `2^log` elements, up to `2^32`.
    ///
    /// # Errors
    /// [`KernelError::NoRoot`] of more.
    pub fn new(log: u32) -> Result<Ntt, KernelError> {
        if log > MOST {
            return Err(KernelError::NoRoot { log });
        }
        let (root, size) = (root(log), power(2, u64::from(log)));
        let (forward, inverse) = (Plan::new(log, root, 1), Plan::new(log, invert(root), invert(size)));
        Ok(Ntt { log, forward, inverse, rooms: Mutex::default() })
    }

    /// Elements of a transform.
    pub fn size(&self) -> usize {
        1 << self.log
    }

    /// The root of unity whose order is the size: `7^((p - 1) / size)`.
    pub fn root(&self) -> Field64 {
        Field64::new(root(self.log)).unwrap_or_default()
    }

    /// Coefficients become values, `values[k]` the sum of `values[j] * root^(j k)`. Of more elements than
    /// [`Ntt::size`], which must divide their number, each run of that many is a transform of its own.
    ///
    /// # Errors
    /// [`KernelError::Size`], or a GPU that fails.
    pub fn forward(&self, device: &Device, values: &mut [Field64]) -> Result<(), KernelError> {
        self.check("Ntt::forward", values.len())?;
        match device.backend() {
            Backend::Cpu(arch) => self.spread(arch, &self.forward, words_mut(values)),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.ntt(self.log, root(self.log), 1, values)?,
        }
        Ok(())
    }

    /// Values become coefficients: what [`Ntt::forward`] is undone by.
    ///
    /// # Errors
    /// As [`Ntt::forward`].
    pub fn inverse(&self, device: &Device, values: &mut [Field64]) -> Result<(), KernelError> {
        self.check("Ntt::inverse", values.len())?;
        match device.backend() {
            Backend::Cpu(arch) => self.spread(arch, &self.inverse, words_mut(values)),
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => {
                gpu.ntt(self.log, invert(root(self.log)), invert(self.size() as u64), values)?;
            }
        }
        Ok(())
    }

    fn check(&self, operation: &'static str, given: usize) -> Result<(), KernelError> {
        let needed = given.next_multiple_of(self.size());
        sized(operation, "values", given, needed)
    }

    /// On as many cores as there are transforms for. An element takes half a nanosecond for each bit of its index.
    fn spread(&self, cpu: &Cpu, plan: &Plan, values: &mut [u64]) {
        let nanoseconds = values.len().saturating_mul(self.log as usize) / 2;
        cpu.each(nanoseconds, self.size(), values, |arch, values| self.on_cpu(*arch, plan, values));
    }

    fn on_cpu(&self, arch: Arch, plan: &Plan, values: &mut [u64]) {
        let size = self.size();
        let rooms = match plan {
            Plan::Small(_) => [0, 0, 0],
            Plan::Near(..) => [size, size, 0],
            Plan::Split(split) => {
                let most = WIDE * split.columns.len().max(split.rows.len());
                [most, most, size]
            }
        };
        let mut kept = self.rooms().pop().unwrap_or_default();
        kept.resize(rooms.iter().sum::<usize>() + WIDE, 0);
        let start = kept.as_ptr().align_offset(64).min(WIDE);
        let (a, rest) = kept[start..].split_at_mut(rooms[0]);
        let (b, rest) = rest.split_at_mut(rooms[1]);
        let between = &mut rest[..rooms[2]];
        for values in values.chunks_exact_mut(size) {
            match plan {
                Plan::Small(plan) => arch.run(Few { plan, values }),
                Plan::Near(head, rows) => arch.run(Near { head, rows, values, room: [a, b] }),
                Plan::Split(plan) => arch.run(Far { plan, values, between, room: [a, b] }),
            }
        }
        // The room stays reachable, so these writes are not left out.
        a.fill(0);
        b.fill(0);
        self.rooms().push(kept);
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<Vec<u64>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn new(log: u32, root: u64, scale: u64) -> Plan {
        let size = power(2, u64::from(log)) as usize;
        if size <= MOST_SMALL {
            return Plan::Small(Small { roots: powers(root).take(size.div_ceil(2)).collect(), scale });
        }
        if log > MOST_NEAR {
            return Plan::Split(Split::new(log, root, scale));
        }
        let groups = size / WIDE;
        let mut twiddles = vec![0; size];
        for (j, factor) in powers(root).take(WIDE).enumerate() {
            for (p, twiddle) in powers(factor).take(groups).enumerate() {
                twiddles[p / WIDE * WIDE * WIDE + j * WIDE + p % WIDE] = multiply(twiddle, scale);
            }
        }
        let rows = Rows::new(log - WIDE.ilog2(), power(root, WIDE as u64), scale != 1);
        Plan::Near(Head { twiddles, scaled: scale != 1 }, rows)
    }
}

impl Split {
    fn new(log: u32, root: u64, scale: u64) -> Split {
        let (wide, tall) = (log / 2, log - log / 2);
        Split {
            columns: Rows::new(tall, power(root, 1 << wide), scale != 1),
            rows: Rows::new(wide, power(root, 1 << tall), scale != 1),
            bases: powers(root).take(1 << wide).collect(),
            scale,
        }
    }
}

impl Rows {
    /// A transform of `2^log` rows, at least 8. Where 3 does not divide `log`, a first pass takes the rest.
    fn new(log: u32, root: u64, inverse: bool) -> Rows {
        let (mut passes, mut twiddles) = (Vec::new(), Vec::new());
        let (mut left, mut root) = (log, root);
        while left > 0 {
            let step = if left.is_multiple_of(3) { 3 } else { left % 3 };
            let (radix, length) = (1usize << step, 1usize << left);
            passes.push(Pass { radix, length, twiddles: twiddles.len() });
            for factor in powers(root).take(length / radix) {
                twiddles.extend(powers(factor).take(radix).skip(1));
            }
            root = power(root, radix as u64);
            left -= step;
        }
        Rows { log, inverse, passes, twiddles }
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        1 << self.log
    }
}

fn root(log: u32) -> u64 {
    power(ROOT, 1 << (MOST - log))
}

fn multiply(a: u64, b: u64) -> u64 {
    pulp::Scalar.multiply::<Field64>(a, b)
}

/// 1, `x`, `x^2` and so on.
pub(crate) fn powers(x: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1), move |power| Some(multiply(*power, x)))
}

pub(crate) fn power(x: u64, exponent: u64) -> u64 {
    (0..64).rev().fold(1, |power, bit| {
        let square = multiply(power, power);
        if exponent >> bit & 1 == 1 { multiply(square, x) } else { square }
    })
}

fn invert(x: u64) -> u64 {
    power(x, Field64::MODULUS - 2)
}
