//! Chains of element-wise steps over resident vectors, fused: one pass over memory on a CPU, one dispatch on a GPU.

use crate::buffer::Memory;
use crate::chain::{self, Action, Step};
use crate::cpu::chain::{Change, Total};
use crate::device::Backend;
use crate::error::sized;
use crate::stream::BLOCK;
use crate::{Buffer, Device, KernelError, Stream, Word};

/// Steps of one plan, at most; [`Plan::mul_add`] counts as two.
pub const MAX_STEPS: usize = 16;
/// Different buffers that the steps of one plan read, at most.
pub const MAX_BUFFERS: usize = 6;
/// Streams of one plan, at most.
pub const MAX_STREAMS: usize = 4;

/// A chain of steps, each of which changes every element `x` of a vector of `len` by the element `y` in the same place
/// of an operand, as the functions of [`ring`](crate::ring) and [`mask`](crate::mask) do, with the same bits. An operand
/// is a [`Buffer`], a [`Stream`], which is expanded as in [`mask::add`](crate::mask::add), or one number.
///
/// Nothing is computed before the plan's end, [`Plan::store`] or [`Plan::sum`]. What lies between steps is in registers
/// or in a first-level cache and never in memory.
///
/// ```
/// use veilgrid_kernels::{Device, Plan, Seed};
///
/// let device = Device::cpu()?;
/// let (a, b) = (device.upload(&[1u64; 1000])?, device.upload(&[3u64; 1000])?);
/// let key = [7u8; 32];
/// // A mask, plus one vector, times another: its sum.
/// let mut stream = Seed::from_bytes(key).stream(1);
/// let sum = Plan::new(&device, 1000).load(&mut stream).add(&a).mul(&b).sum()?;
/// let mut again = Seed::from_bytes(key).stream(1);
/// let mask: u64 = Plan::new(&device, 1000).load(&mut again).sum()?;
/// assert_eq!(sum, (mask + 1000).wrapping_mul(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Plan<'a, T: Word> {
    device: Device,
    len: usize,
    steps: Vec<(Action, Operand<'a, T>)>,
}

/// What a step takes: made from `&Buffer`, `&mut Stream` or an element.
pub struct Operand<'a, T: Word>(Source<'a, T>);

enum Source<'a, T: Word> {
    Buffer(&'a Buffer<T>),
    Stream(&'a mut Stream),
    Constant(T),
}

impl<'a, T: Word> From<&'a Buffer<T>> for Operand<'a, T> {
    fn from(buffer: &'a Buffer<T>) -> Self {
        Operand(Source::Buffer(buffer))
    }
}

/// Consumes `ceil(bytes of the vector / 64)` blocks when the plan ends.
impl<'a, T: Word> From<&'a mut Stream> for Operand<'a, T> {
    fn from(stream: &'a mut Stream) -> Self {
        Operand(Source::Stream(stream))
    }
}

impl<T: Word> From<T> for Operand<'_, T> {
    fn from(value: T) -> Self {
        Operand(Source::Constant(value))
    }
}

impl<'a, T: Word> Plan<'a, T> {
    /// A plan without steps for vectors of `len` elements on `device`.
    pub fn new(device: &Device, len: usize) -> Self {
        Plan { device: device.clone(), len, steps: Vec::new() }
    }

    /// `x = y`. Without it a plan begins with what the buffer of [`Plan::store`] holds, or with zeros for [`Plan::sum`].
    #[must_use]
    pub fn load(self, operand: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::Take, operand)
    }

    /// `x += y`.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a step of a chain, not an operator on plans")]
    pub fn add(self, operand: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::Add, operand)
    }

    /// `x -= y`.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a step of a chain, not an operator on plans")]
    pub fn sub(self, operand: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::Sub, operand)
    }

    /// `x *= y`.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "a step of a chain, not an operator on plans")]
    pub fn mul(self, operand: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::Mul, operand)
    }

    /// `x += y * z`.
    #[must_use]
    pub fn mul_add(self, y: impl Into<Operand<'a, T>>, z: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::Hold, y).step(Action::MulHeld, z)
    }

    /// `x ^= y`.
    #[must_use]
    pub fn xor(self, operand: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::Xor, operand)
    }

    /// `x &= y`.
    #[must_use]
    pub fn and(self, operand: impl Into<Operand<'a, T>>) -> Self {
        self.step(Action::And, operand)
    }

    fn step(mut self, action: Action, operand: impl Into<Operand<'a, T>>) -> Self {
        self.steps.push((action, operand.into()));
        self
    }

    /// Runs the plan and writes its vector to `target`.
    ///
    /// # Errors
    /// [`KernelError::Size`], [`KernelError::OtherDevice`], [`KernelError::PlanTooLarge`] or
    /// [`KernelError::StreamExhausted`]: nothing was written, nor taken from any stream. A GPU that fails: `target` is
    /// undefined, the other buffers are as they were, and what was taken from a stream stays taken.
    pub fn store(mut self, target: &mut Buffer<T>) -> Result<(), KernelError> {
        self.check()?;
        self.own("the target", target)?;
        if self.len == 0 {
            return Ok(());
        }
        match (self.device.backend(), target.memory_mut()) {
            (Backend::Cpu(cpu), Memory::Host(data)) => {
                let steps = steps(self.len, &mut self.steps, host)?;
                cpu.spread(Change { steps, data });
                Ok(())
            }
            #[cfg(feature = "gpu")]
            (Backend::Gpu(gpu), Memory::Gpu(data)) => {
                gpu.chain_change(&steps(self.len, &mut self.steps, resident)?, data)
            }
            #[cfg(feature = "gpu")]
            _ => Err(KernelError::OtherDevice { operand: "the target" }),
        }
    }

    /// Runs the plan and gives the sum of its vector, modulo 2^32 or 2^64.
    ///
    /// # Errors
    /// As [`Plan::store`].
    pub fn sum(mut self) -> Result<T, KernelError> {
        self.check()?;
        if self.len == 0 || self.steps.is_empty() {
            return Ok(T::ZERO);
        }
        match self.device.backend() {
            Backend::Cpu(cpu) => {
                let steps = steps(self.len, &mut self.steps, host)?;
                Ok(cpu.spread(Total { steps, len: self.len }))
            }
            #[cfg(feature = "gpu")]
            Backend::Gpu(gpu) => gpu.chain_total(&steps(self.len, &mut self.steps, resident)?, self.len),
        }
    }

    /// Everything that can be refused before anything is taken or written.
    fn check(&self) -> Result<(), KernelError> {
        let mut buffers: Vec<&Buffer<T>> = Vec::new();
        let mut streams = 0;
        for (_, operand) in &self.steps {
            match &operand.0 {
                Source::Buffer(buffer) => {
                    self.own("an operand", buffer)?;
                    if !buffers.iter().any(|known| std::ptr::eq(*known, *buffer)) {
                        buffers.push(buffer);
                    }
                }
                Source::Stream(stream) => {
                    stream.check((self.len * size_of::<T>()).div_ceil(BLOCK) as u64)?;
                    streams += 1;
                }
                Source::Constant(_) => {}
            }
        }
        let counts = [
            ("steps", self.steps.len(), MAX_STEPS),
            ("buffers", buffers.len(), MAX_BUFFERS),
            ("streams", streams, MAX_STREAMS),
        ];
        match counts.into_iter().find(|(_, given, most)| given > most) {
            Some((what, given, most)) => Err(KernelError::PlanTooLarge { what, given, most }),
            None => Ok(()),
        }
    }

    /// Refuses a buffer of another length or device.
    fn own(&self, operand: &'static str, buffer: &Buffer<T>) -> Result<(), KernelError> {
        sized("Plan", operand, buffer.len(), self.len)?;
        if self.device.shares_memory_with(buffer.device()) {
            Ok(())
        } else {
            Err(KernelError::OtherDevice { operand })
        }
    }
}

/// The steps as a device takes them. Every stream has the blocks: `check` saw to that.
fn steps<'s, T: Word, V>(
    len: usize,
    steps: &'s mut [(Action, Operand<'_, T>)],
    refer: fn(&'s Buffer<T>) -> Result<V, KernelError>,
) -> Result<Vec<Step<'s, T, V>>, KernelError> {
    let mut taken = Vec::with_capacity(steps.len());
    for (action, operand) in steps {
        let operand = match &mut operand.0 {
            Source::Buffer(buffer) => chain::Operand::Vector(refer(buffer)?),
            Source::Stream(stream) => chain::Operand::Stream(stream.take_bytes(len * size_of::<T>())?),
            Source::Constant(value) => chain::Operand::Constant(*value),
        };
        taken.push(Step { action: *action, operand });
    }
    Ok(taken)
}

fn host<T: Word>(buffer: &Buffer<T>) -> Result<&[T], KernelError> {
    match buffer.memory() {
        Memory::Host(values) => Ok(values),
        #[cfg(feature = "gpu")]
        Memory::Gpu(_) => Err(KernelError::OtherDevice { operand: "an operand" }),
    }
}

#[cfg(feature = "gpu")]
fn resident<T: Word>(buffer: &Buffer<T>) -> Result<&crate::gpu::Resident, KernelError> {
    match buffer.memory() {
        Memory::Gpu(resident) => Ok(resident),
        Memory::Host(_) => Err(KernelError::OtherDevice { operand: "an operand" }),
    }
}
