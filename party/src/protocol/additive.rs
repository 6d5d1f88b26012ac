//! Additive shares over Z2^64 among two parties or more: the noised sum of all parties' vectors, and nothing else, is opened.
//!
//! Party `i` adds its own full noise to its vector and splits the result `y_i` into one share for each party, itself
//! included. Its own share and those of all peers but one are keystreams of fresh seeds; the next party, `i + 1 mod n`,
//! gets the correction, which is `y_i` less all of them. So a party sends one vector, whatever the number of parties.
//! Each party holds the sum of the shares it was given. Those sums add up to the noised total; all but one of them
//! together are uniform, since the missing one has a keystream of its holder in it that no other party has seen.
//!
//! A sum of shares is opened only after every party said that its own is durable: [`share`], [`seal`], [`open`].

use super::{MASK_STREAM, ProtocolError, chunk, noise::Noise, receive, unexpected};
use crate::transport::links::{Kind, Links};
use std::future::Future;
use veilgrid_kernels::{Device, Seed, Stream, mask, ring, share as shares};
use zeroize::{Zeroize, Zeroizing};

/// The seeds of one attempt: one for the share that a party keeps, one for each peer that gets a seed.
pub struct Seeds {
    kept: Seed,
    given: Vec<Seed>,
}

impl Seeds {
    /// Fresh seeds for `parties` parties.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn fresh(parties: usize) -> Result<Self, ProtocolError> {
        let given = (2..parties).map(|_| Seed::random()).collect::<Result<_, _>>()?;
        Ok(Self { kept: Seed::random()?, given })
    }

    /// Given seeds, for tests: the kept one, then those for the peers that get a seed, by rising index.
    #[doc(hidden)]
    pub fn known(kept: Seed, given: Vec<Seed>) -> Self {
        Self { kept, given }
    }
}

/// The party that gets the correction of `party`.
fn next(party: usize, parties: usize) -> usize {
    (party + 1) % parties
}

fn peers<L: Links>(links: &L) -> impl Iterator<Item = usize> + use<L> {
    let me = links.me();
    (0..links.parties()).filter(move |peer| *peer != me)
}

/// Adds noise to `sums`, shares them, and returns this party's sum of noised shares. `progress` is told the elements done.
///
/// # Errors
/// [`ProtocolError`]; a peer's wrong message is an error and never part of a sum.
pub async fn share(
    links: &impl Links,
    device: &Device,
    attempt: u64,
    sums: Zeroizing<Vec<u64>>,
    noise: &mut dyn Noise,
    seeds: Seeds,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<u64>, ProtocolError> {
    let parties = links.parties();
    if parties < 2 {
        return Err(ProtocolError::Parties { parties });
    }
    let (mut given, mut taken) =
        both(give_seeds(links, attempt, seeds.given), take_seeds(links, attempt)).await?;
    let mut kept = seeds.kept.stream(MASK_STREAM);
    let from = (links.me() + parties - 1) % parties;
    let mut sums = sums;
    let mut correction = Zeroizing::new(vec![0u64; chunk::LENGTH.min(sums.len())]);
    for (index, part) in sums.chunks_mut(chunk::LENGTH).enumerate() {
        let first = (index * chunk::LENGTH) as u64;
        let correction = &mut correction[..part.len()];
        noise.add(device, first, part)?;
        correction.copy_from_slice(part);
        // What was summed makes room for the share that this party keeps, and that for the sum of all it is given.
        shares::expand(device, part, &mut kept)?;
        ring::sub(device, correction, part)?;
        shares::split(device, correction, &mut given)?;
        let body = chunk::encode(links.buffer(chunk::size(correction)), attempt, first, correction);
        links.send(next(links.me(), parties), Kind::Correction, body).await?;
        taken.iter_mut().try_for_each(|stream| mask::add(device, part, stream))?;
        let body = receive(links, from, Kind::Correction).await?;
        let given = chunk::decode(&body, attempt, first, part.len());
        ring::add(device, part, &given.map_err(|what| unexpected(links, from, what))?)?;
        links.recycle(body);
        progress(first + part.len() as u64);
    }
    Ok(std::mem::take(&mut *sums))
}

async fn give_seeds(
    links: &impl Links,
    attempt: u64,
    seeds: Vec<Seed>,
) -> Result<Vec<Stream>, ProtocolError> {
    let corrected = next(links.me(), links.parties());
    let mut streams = Vec::with_capacity(seeds.len());
    for (peer, seed) in peers(links).filter(|peer| *peer != corrected).zip(seeds) {
        let mut body = attempt.to_le_bytes().to_vec();
        body.extend_from_slice(seed.expose());
        links.send(peer, Kind::Seed, body).await?;
        streams.push(seed.stream(MASK_STREAM));
    }
    Ok(streams)
}

async fn take_seeds(links: &impl Links, attempt: u64) -> Result<Vec<Stream>, ProtocolError> {
    let mut streams = Vec::new();
    for peer in peers(links).filter(|peer| next(*peer, links.parties()) != links.me()) {
        let mut body = receive(links, peer, Kind::Seed).await?;
        let Some((number, seed)) = body.split_first_chunk::<8>().filter(|(_, seed)| seed.len() == 32) else {
            return Err(unexpected(links, peer, format!("a seed message of {} bytes, not 40", body.len())));
        };
        check_attempt(links, peer, *number, attempt)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(seed);
        streams.push(Seed::from_bytes(*key).stream(MASK_STREAM));
        body.zeroize();
    }
    Ok(streams)
}

/// Says that this party's sum is durable, and waits until every peer has said so.
///
/// # Errors
/// [`ProtocolError`].
pub async fn seal(links: &impl Links, attempt: u64) -> Result<(), ProtocolError> {
    let say = async {
        for peer in peers(links) {
            links.send(peer, Kind::Sealed, attempt.to_le_bytes().to_vec()).await?;
        }
        Ok(())
    };
    let hear = async {
        for peer in peers(links) {
            let body = receive(links, peer, Kind::Sealed).await?;
            let number = <[u8; 8]>::try_from(body.as_slice())
                .map_err(|_| unexpected(links, peer, format!("a seal of {} bytes, not 8", body.len())))?;
            check_attempt(links, peer, number, attempt)?;
        }
        Ok(())
    };
    both(say, hear).await.map(drop)
}

/// Sends this party's sum to every recipient, and turns it into the noised total where this party is one.
///
/// From the first byte of it on, the run's charge is spent: call it only when that is durable.
///
/// # Errors
/// [`ProtocolError`].
pub async fn open(
    links: &impl Links,
    device: &Device,
    attempt: u64,
    recipients: &[usize],
    mut held: Vec<u64>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Option<Vec<u64>>, ProtocolError> {
    let me = links.me();
    let is_recipient = recipients.contains(&me);
    // Chunk by chunk to and from all, so that no recipient waits for another to have everything.
    for (index, part) in held.chunks_mut(chunk::LENGTH).enumerate() {
        let first = (index * chunk::LENGTH) as u64;
        for recipient in recipients.iter().copied().filter(|recipient| *recipient != me) {
            let body = chunk::encode(links.buffer(chunk::size(part)), attempt, first, part);
            links.send(recipient, Kind::Opened, body).await?;
        }
        if is_recipient {
            for peer in peers(links) {
                let body = receive(links, peer, Kind::Opened).await?;
                let opened = chunk::decode(&body, attempt, first, part.len());
                ring::add(device, part, &opened.map_err(|what| unexpected(links, peer, what))?)?;
                links.recycle(body);
            }
            progress(first + part.len() as u64);
        }
    }
    Ok(is_recipient.then_some(held))
}

fn check_attempt(
    links: &impl Links,
    peer: usize,
    number: [u8; 8],
    attempt: u64,
) -> Result<(), ProtocolError> {
    match u64::from_le_bytes(number) {
        number if number == attempt => Ok(()),
        number => Err(unexpected(links, peer, format!("a message of attempt {number} in attempt {attempt}"))),
    }
}

/// Runs both at once, until both are done or one has failed.
async fn both<A, B>(
    left: impl Future<Output = Result<A, ProtocolError>>,
    right: impl Future<Output = Result<B, ProtocolError>>,
) -> Result<(A, B), ProtocolError> {
    tokio::try_join!(left, right)
}
