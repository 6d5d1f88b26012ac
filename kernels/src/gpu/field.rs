//! The prime fields.

use super::Gpu;
use super::buffer::Job;
use super::ops::{VECTOR, stream};
use super::params::Params;
use crate::field::uniform::{BLOCKS, GROUP};
use crate::field::{elements, words, words_mut};
use crate::stream::{BLOCK, Span};
use crate::{Field, Field64, KernelError};
use zeroize::Zeroizing;

/// Coefficients that one dispatch goes over: enough that the values' way there and back is small beside them, and few enough that a slow
/// GPU is done in time.
const MOST_COEFFICIENTS: usize = 1024;

/// Bytes of the points that an invocation takes for a polynomial.
const POLYNOMIAL: usize = 2 * VECTOR;
/// Turns of the loop of a product of vectors, of four vectors of 128 bits each.
const DOT_TURNS: u32 = 4;

/// The kernel for a field.
pub(super) fn of<F: Field>(m61: &'static str, field64: &'static str) -> &'static str {
    if F::MODULUS == Field64::MODULUS { field64 } else { m61 }
}

/// The kernel that draws elements.
pub(super) fn uniform<F: Field>() -> &'static str {
    of::<F>("field_uniform_m61", "field_uniform_field64")
}

impl Gpu {
    /// `acc[i] += other[i]`; the slices are of one length, here and below.
    pub(crate) fn field_add<F: Field>(&self, acc: &mut [F], other: &[F]) -> Result<(), KernelError> {
        self.zip(of::<F>("field_add_m61", "field_add_field64"), words_mut(acc), words(other))
    }

    /// `acc[i] -= other[i]`.
    pub(crate) fn field_sub<F: Field>(&self, acc: &mut [F], other: &[F]) -> Result<(), KernelError> {
        self.zip(of::<F>("field_sub_m61", "field_sub_field64"), words_mut(acc), words(other))
    }

    /// `acc[i] *= other[i]`.
    pub(crate) fn field_mul<F: Field>(&self, acc: &mut [F], other: &[F]) -> Result<(), KernelError> {
        self.zip(of::<F>("field_mul_m61", "field_mul_field64"), words_mut(acc), words(other))
    }

    /// `values[i] = -values[i]`.
    pub(crate) fn field_neg<F: Field>(&self, values: &mut [F]) -> Result<(), KernelError> {
        let kernel = of::<F>("field_neg_m61", "field_neg_field64");
        let job = Job::tiled(kernel, Params::new(), size_of_val(values));
        self.change(job, bytemuck::cast_slice_mut(words_mut(values)))
    }

    /// `acc[i] += a[i] * b[i]`.
    pub(crate) fn field_mul_add<F: Field>(&self, acc: &mut [F], a: &[F], b: &[F]) -> Result<(), KernelError> {
        let kernel = of::<F>("field_mul_add_m61", "field_mul_add_field64");
        let job = Job {
            source: Some(bytemuck::cast_slice(words(a))),
            second: Some(bytemuck::cast_slice(words(b))),
            ..Job::tiled(kernel, Params::new(), size_of_val(acc))
        };
        self.change(job, bytemuck::cast_slice_mut(words_mut(acc)))
    }

    /// One element for each two words of the span.
    pub(crate) fn field_uniform<F: Field>(&self, span: &Span<'_>, out: &mut [F]) -> Result<(), KernelError> {
        const { assert!(8 * GROUP == BLOCK) };
        let params = stream(span).uniform_rows(u32::MAX, 0);
        let job = Job::expanding(uniform::<F>(), params, size_of_val(out), BLOCKS);
        self.fill(job, bytemuck::cast_slice_mut(words_mut(out)))
    }

    /// `values[i]` becomes `values[i]^exponent`.
    pub(crate) fn field_pow<F: Field>(&self, values: &mut [F], exponent: u64) -> Result<(), KernelError> {
        let kernel = of::<F>("field_pow_m61", "field_pow_field64");
        let job = Job::new(kernel, Params::exponent(exponent), size_of_val(values), VECTOR);
        self.change(job, bytemuck::cast_slice_mut(words_mut(values)))
    }

    /// The sum of `a[i] * b[i]`: one total a workgroup there, the sum of those here.
    pub(crate) fn field_dot<F: Field>(&self, a: &[F], b: &[F]) -> Result<F, KernelError> {
        if a.is_empty() {
            return Ok(F::ZERO);
        }
        let kernel = of::<F>("field_dot_m61", "field_dot_field64");
        let job = Job {
            params: Params::bits(DOT_TURNS),
            second: Some(bytemuck::cast_slice(words(b))),
            ..Job::sum(kernel, bytemuck::cast_slice(words(a)))
        };
        let totals = self.run(&job)?.totals()?;
        let sum = totals.iter().fold(0, |sum, total| F::add(pulp::Scalar, sum, *total));
        Ok(elements(&[sum])?[0])
    }

    /// Horner's rule, from the highest coefficients on.
    pub(crate) fn field_evaluate<F: Field>(
        &self,
        coefficients: &[F],
        points: &mut [F],
    ) -> Result<(), KernelError> {
        let kernel = of::<F>("field_evaluate_m61", "field_evaluate_field64");
        if points.is_empty() {
            return Ok(());
        }
        let turns = coefficients.len().div_ceil(MOST_COEFFICIENTS);
        let mut values = Zeroizing::new(Vec::new());
        for (turn, coefficients) in coefficients.rchunks(MOST_COEFFICIENTS).enumerate() {
            let job = Job {
                target: (turn > 0).then(|| bytemuck::cast_slice(words(&values))),
                source: Some(bytemuck::cast_slice(words(points))),
                second: Some(bytemuck::cast_slice(words(coefficients))),
                whole: Some(3),
                ..Job::new(
                    kernel,
                    Params::polynomial(coefficients.len(), turn > 0),
                    size_of_val(points),
                    POLYNOMIAL,
                )
            };
            let results = self.run(&job)?;
            // The points are needed until the last turn.
            if turn + 1 == turns {
                return results.write_to(bytemuck::cast_slice_mut(words_mut(points)));
            }
            values.resize(points.len(), F::ZERO);
            results.write_to(bytemuck::cast_slice_mut(words_mut(&mut values)))?;
        }
        // Of no coefficients.
        points.fill(F::ZERO);
        Ok(())
    }
}
