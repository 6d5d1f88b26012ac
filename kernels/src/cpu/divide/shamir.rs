//! Shares and what is made of them: the same elements of each.

use crate::cpu::shamir::{BATCH, Combine, Split, TILE};
use crate::cpu::{Divide, Prime};
use crate::field::uniform::{BLOCKS, GROUP};

impl<P: Prime + Send> Divide for Split<'_, P> {
    const STEP: usize = 4 * TILE;

    fn len(&self) -> usize {
        self.secret.len()
    }
    /// Two blocks for eight coefficients, and for each share a sum of each difference.
    fn nanoseconds(&self) -> usize {
        let sums = self.shares.rows().saturating_mul(self.threshold + 1) / 8;
        self.secret.len().saturating_mul(6 * self.threshold + sums)
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Split { span, blocks, secret, threshold, shares, field } = self;
        let ((secret, secret_rest), (shares, shares_rest)) = (secret.split_at(at), shares.cut(at));
        let later = span.after(BLOCKS * (at / GROUP) as u64);
        (
            Split { span, blocks, secret, threshold, shares, field },
            Split { span: later, blocks, secret: secret_rest, threshold, shares: shares_rest, field },
        )
    }
    nothing_to_join!();
}

impl<P: Prime + Send> Divide for Combine<'_, P> {
    const STEP: usize = BATCH;

    fn len(&self) -> usize {
        self.out.columns()
    }
    fn nanoseconds(&self) -> usize {
        self.out.columns().saturating_mul(self.weights.len())
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Combine { weights, inputs, out, field } = self;
        let (inputs, inputs_rest) = inputs.into_iter().map(|input| input.split_at(at)).unzip();
        let (out, out_rest) = out.cut(at);
        (
            Combine { weights, inputs, out, field },
            Combine { weights, inputs: inputs_rest, out: out_rest, field },
        )
    }
    nothing_to_join!();
}
