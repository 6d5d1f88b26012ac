//! Lines of the caches, copies that go past them, and reads ahead.

#![allow(unsafe_code)] // There is no safe store that leaves the caches alone, and no safe prefetch: see `past_caches`, `ahead`.

/// Words of a line.
const LINE: usize = 8;
/// Bytes of a vector from which on its results are better written past the caches: they would not stay there anyway, and a line that is
/// written whole need not be read first.
pub(super) const FAR: usize = 16 << 20;

/// Bytes that are read ahead: one page. CPUs do so themselves, but only within a page, and wait at each new one.
const AHEAD: usize = 4096;

/// Asks for the line that is [`AHEAD`] bytes after a vector, for a loop that works on each vector for long enough.
#[inline(always)]
pub(super) fn ahead<V>(vector: &V) {
    ask::<FIRST>((&raw const *vector).cast::<u8>().wrapping_add(AHEAD));
}

/// Asks the second-level cache for the line so many bytes after a vector, for a loop whose steps are so far apart that no CPU reads
/// ahead for it, and the first-level cache keeps few of its lines.
#[inline(always)]
pub(super) fn ahead_by<V>(vector: &V, bytes: usize) {
    ask::<SECOND>((&raw const *vector).cast::<u8>().wrapping_add(bytes));
}

/// Asks for the lines of what is needed soon.
#[inline(always)]
pub(super) fn soon<T>(elements: &[T]) {
    let bytes = elements.as_ptr_range();
    let (first, end) = (bytes.start.cast::<u8>(), bytes.end.cast::<u8>());
    for line in 0..size_of_val(elements).div_ceil(64) {
        ask::<FIRST>(first.wrapping_add(64 * line));
    }
    ask::<FIRST>(end.wrapping_sub(1));
}

/// Into which cache a line is read: the first-level one (`_MM_HINT_T0`) or the second-level one (`_MM_HINT_T1`).
const FIRST: i32 = 3;
const SECOND: i32 = 2;

#[inline(always)]
fn ask<const CACHE: i32>(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch of any address changes nothing that a program sees. SSE is part of x86-64.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<CACHE>(address.cast::<i8>());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = address;
}

/// Elements before the first whole line.
pub(super) fn to_line<T>(elements: &[T]) -> usize {
    elements.as_ptr().align_offset(64)
}

/// Copies `from` to `to`, which is as long: whole lines past the caches. Before anybody else may see them, [`settle`].
#[inline(always)]
pub(super) fn past_caches(from: &[u64], to: &mut [u64]) {
    let head = to_line(to).min(to.len());
    let ((first, from), (first_to, to)) = (from.split_at(head), to.split_at_mut(head));
    first_to.copy_from_slice(first);
    let ((lines, last), (lines_to, last_to)) = (from.as_chunks::<LINE>(), to.as_chunks_mut::<LINE>());
    for (line, to) in lines.iter().zip(lines_to) {
        store(line, to);
    }
    last_to.copy_from_slice(last);
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn store(line: &[u64; LINE], to: &mut [u64; LINE]) {
    // Miri knows no store past the caches: one that asks for the same of its address.
    #[cfg(miri)]
    use core::arch::x86_64::_mm_store_si128 as _mm_stream_si128;
    #[cfg(not(miri))]
    use core::arch::x86_64::_mm_stream_si128;
    use core::arch::x86_64::{__m128i, _mm_loadu_si128};
    for (pair, to) in line.as_chunks::<2>().0.iter().zip(to.as_chunks_mut::<2>().0) {
        let (pair, to) = (pair.as_ptr().cast::<__m128i>(), to.as_mut_ptr().cast::<__m128i>());
        // SAFETY: both point to two words that the references above cover, one of them alone; `to` is a multiple of 16 bytes within a
        // line, whose start `past_caches` has aligned. SSE2 is part of x86-64. `settle` orders these stores before whatever others
        // are told: each kernel calls it before it returns.
        unsafe { _mm_stream_si128(to, _mm_loadu_si128(pair)) };
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn store(line: &[u64; LINE], to: &mut [u64; LINE]) {
    *to = *line;
}

/// Waits until all that went past the caches is in memory.
pub(super) fn settle() {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: SSE is part of x86-64.
    unsafe {
        core::arch::x86_64::_mm_sfence();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_any_length_and_place_are_whole() {
        let from: Vec<u64> = (0..100).collect();
        // Miri is slow: places in a line and lengths of up to three.
        let (starts, most) = if cfg!(miri) { (0..9, 26) } else { (0..10, 100) };
        for start in starts {
            for end in start..most {
                let mut to = vec![7; 100];
                past_caches(&from[start..end], &mut to[start..end]);
                settle();
                let want = |at: usize| if (start..end).contains(&at) { at as u64 } else { 7 };
                assert!(to.iter().enumerate().all(|(at, word)| *word == want(at)), "{start}..{end}");
            }
        }
    }
}
