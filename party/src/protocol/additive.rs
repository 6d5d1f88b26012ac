//! Additive shares over Z2^64 among two parties or more: the noised sum of all parties' vectors, and nothing else, is opened.
//!
//! Party `i` adds its own full noise to its vector. Every pair of parties shares a fresh seed, whose keystream is a pad: the
//! party of the lower index takes it off its vector and the other adds it to its own. What a party then holds is its share
//! of the noised total: the pads cancel, so all shares add up to it, and all but one of them together are uniform, since the
//! pad of two parties that keep it to themselves is unknown to everybody else (Bonawitz et al., CCS 2017, section 4). Only
//! seeds travel before the opening.
//!
//! A share is opened only after every party said that its own is durable: [`share`], [`seal`], [`open`].

use super::{MASK_STREAM, ProtocolError, chunk, noise::Noise, receive, unexpected};
use crate::transport::links::{Kind, Links};
use std::future::Future;
use veilgrid_kernels::{Device, Seed, Stream, mask, ring};
use zeroize::{Zeroize, Zeroizing};

/// The seeds of one attempt: one for each peer of a higher index.
pub struct Seeds(Vec<Seed>);

impl Seeds {
    /// Fresh seeds for party `me` of `parties`.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn fresh(me: usize, parties: usize) -> Result<Self, ProtocolError> {
        Ok(Self((me + 1..parties).map(|_| Seed::random()).collect::<Result<_, _>>()?))
    }

    /// Given seeds, for tests, by rising index of the peer.
    #[doc(hidden)]
    pub fn known(seeds: Vec<Seed>) -> Self {
        Self(seeds)
    }
}

fn peers<L: Links>(links: &L) -> impl Iterator<Item = usize> + use<L> {
    let me = links.me();
    (0..links.parties()).filter(move |peer| *peer != me)
}

/// Adds noise to `sums` and masks them: returns this party's share of the noised total. `progress` is told the elements done.
///
/// # Errors
/// [`ProtocolError`]; a peer's wrong message is an error and never part of a share.
pub async fn share(
    links: &impl Links,
    device: &Device,
    attempt: u64,
    mut sums: Zeroizing<Vec<u64>>,
    noise: &mut dyn Noise,
    seeds: Seeds,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<u64>, ProtocolError> {
    let parties = links.parties();
    if parties < 2 {
        return Err(ProtocolError::Parties { parties });
    }
    let (mut given, mut taken) = both(give_seeds(links, attempt, seeds), take_seeds(links, attempt)).await?;
    for (index, part) in sums.chunks_mut(chunk::LENGTH).enumerate() {
        let first = (index * chunk::LENGTH) as u64;
        noise.add(device, first, part)?;
        given.iter_mut().try_for_each(|pad| mask::sub(device, part, pad))?;
        taken.iter_mut().try_for_each(|pad| mask::add(device, part, pad))?;
        progress(first + part.len() as u64);
        // Nothing here waits, and the links want to say that this party lives.
        tokio::task::yield_now().await;
    }
    Ok(std::mem::take(&mut *sums))
}

async fn give_seeds(links: &impl Links, attempt: u64, seeds: Seeds) -> Result<Vec<Stream>, ProtocolError> {
    let mut streams = Vec::with_capacity(seeds.0.len());
    for (peer, seed) in (links.me() + 1..links.parties()).zip(seeds.0) {
        let mut body = attempt.to_le_bytes().to_vec();
        body.extend_from_slice(seed.expose());
        links.send(peer, Kind::Seed, body).await?;
        streams.push(seed.stream(MASK_STREAM));
    }
    Ok(streams)
}

async fn take_seeds(links: &impl Links, attempt: u64) -> Result<Vec<Stream>, ProtocolError> {
    let mut streams = Vec::with_capacity(links.me());
    for peer in 0..links.me() {
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

/// Says that this party's share is durable, and waits until every peer has said so.
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

/// Sends this party's share to every recipient, and turns it into the noised total where this party is one.
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
    let others: Vec<usize> = recipients.iter().copied().filter(|recipient| *recipient != me).collect();
    // Chunk by chunk to and from all, so that no recipient waits for another to have everything.
    for (index, part) in held.chunks_mut(chunk::LENGTH).enumerate() {
        let first = (index * chunk::LENGTH) as u64;
        if !others.is_empty() {
            let body = chunk::encode(links.buffer(chunk::size(part)), attempt, first, part);
            links.send_each(&others, Kind::Opened, body).await?;
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
