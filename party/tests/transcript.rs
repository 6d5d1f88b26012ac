//! What colluding parties see of an honest one is a function of its noised vector alone.
//!
//! For an honest party's input `x` with noise `e`, and any other input `x'` with the noise `e' = x + e - x'` that gives the
//! same noised vector, and the same seeds: every byte that all the other parties together receive is the same. Noise and
//! seeds are chosen without regard to the input, so what they receive tells inputs apart only as far as the noised vector does.

use proptest::prelude::*;
use veilgrid_kernels::{Device, Seed};
use veilgrid_party::{
    protocol::{
        ProtocolError,
        additive::{self, Seeds},
        memory::{Sent, network},
        noise::Noise,
    },
    transport::links::Links,
};
use zeroize::Zeroizing;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Noise that was solved for.
struct Solved(Vec<u64>);

impl Noise for Solved {
    fn add(&mut self, _: &Device, first: u64, values: &mut [u64]) -> Result<(), ProtocolError> {
        values.iter_mut().zip(&self.0[first as usize..]).for_each(|(v, e)| *v = v.wrapping_add(*e));
        Ok(())
    }
}

/// A party's input, noise and the first byte of its seeds.
#[derive(Clone)]
struct Party {
    input: Vec<u64>,
    noise: Vec<u64>,
    seed: u8,
}

/// All messages that `honest` sent, in the order of each receiver, and the total that was opened.
fn transcript(parties: &[Party], honest: usize) -> (Vec<Vec<Sent>>, Vec<u64>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (links, transcript) = network(&NAMES[..parties.len()], None);
    let total = runtime.block_on(async {
        let tasks: Vec<_> = links
            .into_iter()
            .zip(parties.to_vec())
            .map(|(links, party)| {
                tokio::spawn(async move {
                    let device = Device::cpu().unwrap();
                    let n = links.parties();
                    let seed =
                        |i: usize| Seed::from_bytes([party.seed.wrapping_mul(31).wrapping_add(i as u8); 32]);
                    let seeds = Seeds::known((links.me() + 1..n).map(seed).collect());
                    let mut noise = Solved(party.noise);
                    let sums = Zeroizing::new(party.input);
                    let held =
                        additive::share(&links, &device, 0, sums, &mut noise, seeds, &|_| ()).await.unwrap();
                    additive::seal(&links, 0).await.unwrap();
                    let everyone: Vec<usize> = (0..n).collect();
                    additive::open(&links, &device, 0, &everyone, held, &|_| ()).await.unwrap().unwrap()
                })
            })
            .collect();
        let mut totals = Vec::new();
        for task in tasks {
            totals.push(task.await.unwrap());
        }
        assert!(totals.iter().all(|total| *total == totals[0]));
        totals.remove(0)
    });
    let transcript = transcript.lock().unwrap();
    let to = |receiver| {
        transcript.iter().filter(|sent| sent.from == honest && sent.to == receiver).cloned().collect()
    };
    ((0..parties.len()).map(to).collect(), total)
}

fn vector(length: usize) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(any::<u64>(), length)
}

fn case() -> impl Strategy<Value = (Vec<Party>, usize, Vec<u64>)> {
    (2usize..=5, 1usize..70).prop_flat_map(|(parties, length)| {
        let party = (vector(length), vector(length), any::<u8>()).prop_map(|(input, noise, seed)| Party {
            input,
            noise,
            seed,
        });
        (prop::collection::vec(party, parties), 0..parties, vector(length))
    })
}

impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "party of {} cells", self.input.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inputs_with_one_noised_vector_look_alike((parties, honest, other) in case()) {
        let (seen, total) = transcript(&parties, honest);
        let mut changed = parties.clone();
        let noised: Vec<u64> =
            parties[honest].input.iter().zip(&parties[honest].noise).map(|(x, e)| x.wrapping_add(*e)).collect();
        changed[honest].noise = noised.iter().zip(&other).map(|(y, x)| y.wrapping_sub(*x)).collect();
        changed[honest].input = other.clone();
        let (seen_again, total_again) = transcript(&changed, honest);
        prop_assert_eq!(total, total_again);
        prop_assert!(seen == seen_again, "the colluding parties see a difference");

        // The test can tell: another noised vector gives other bytes.
        changed[honest].noise[0] = changed[honest].noise[0].wrapping_add(1);
        prop_assert!(seen != transcript(&changed, honest).0);
    }
}
