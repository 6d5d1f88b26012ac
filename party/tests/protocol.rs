//! The additive protocol over links in memory: right sums, stated costs, and no bad message is ever used.

use std::sync::{Arc, Mutex};
use veilgrid_kernels::Device;
use veilgrid_party::{
    protocol::{
        ProtocolError,
        additive::{self, Seeds},
        chunk,
        memory::{MemoryLinks, Sent, Tamper, network},
        noise::Noise,
    },
    transport::links::{Kind, LinkError, Links, Message},
};
use zeroize::Zeroizing;

/// Noise that a test knows: `value` added to every cell.
struct Constant(u64);

impl Noise for Constant {
    fn add(&mut self, _: &Device, _: u64, values: &mut [u64]) -> Result<(), ProtocolError> {
        values.iter_mut().for_each(|value| *value = value.wrapping_add(self.0));
        Ok(())
    }
}

const NAMES: [&str; 5] = ["north", "south", "east", "west", "centre"];

/// A party's share, and the total where it is a recipient.
type Outcome = Result<(Vec<u64>, Option<Vec<u64>>), ProtocolError>;

async fn party(links: &MemoryLinks, sums: Vec<u64>, recipients: &[usize]) -> Outcome {
    let device = Device::cpu().unwrap();
    let seeds = Seeds::fresh(links.me(), links.parties())?;
    let sums = Zeroizing::new(sums);
    let mut noise = Constant(links.me() as u64);
    let held = additive::share(links, &device, 3, sums, &mut noise, seeds, &|_| ()).await?;
    additive::seal(links, 3).await?;
    let total = additive::open(links, &device, 3, recipients, held.clone(), &|_| ()).await?;
    Ok((held, total))
}

/// Runs all parties; a party's links are dropped when it ends.
fn run(
    parties: usize,
    cells: usize,
    recipients: &[usize],
    tamper: Option<Tamper>,
) -> (Vec<Outcome>, Arc<Mutex<Vec<Sent>>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (links, transcript) = network(&NAMES[..parties], tamper);
    let outcomes = runtime.block_on(async {
        let tasks: Vec<_> = links
            .into_iter()
            .map(|links| {
                let recipients = recipients.to_vec();
                tokio::spawn(async move { party(&links, sums(links.me(), cells), &recipients).await })
            })
            .collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    });
    (outcomes, transcript)
}

fn sums(party: usize, cells: usize) -> Vec<u64> {
    (0..cells as u64)
        .map(|i| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(party as u32 * 11))
        .collect()
}

fn expected(parties: usize, cells: usize) -> Vec<u64> {
    let mut total = vec![(0..parties as u64).sum::<u64>(); cells];
    for party in 0..parties {
        total.iter_mut().zip(sums(party, cells)).for_each(|(t, s)| *t = t.wrapping_add(s));
    }
    total
}

#[test]
fn every_recipient_opens_the_noised_sum_and_no_one_else_does() {
    for parties in 2..=5 {
        for cells in [1, 7, 8, 9, 1000, chunk::LENGTH, chunk::LENGTH + 1] {
            let recipients = if cells % 2 == 0 { vec![0, parties - 1] } else { (0..parties).collect() };
            let (outcomes, _) = run(parties, cells, &recipients, None);
            let mut sum = vec![0u64; cells];
            for (party, outcome) in outcomes.into_iter().enumerate() {
                let (held, total) = outcome.unwrap();
                sum.iter_mut().zip(held).for_each(|(s, h)| *s = s.wrapping_add(h));
                assert_eq!(total.is_some(), recipients.contains(&party));
                assert!(total.is_none_or(|total| total == expected(parties, cells)));
            }
            assert!(sum == expected(parties, cells), "{parties} parties, {cells} cells");
        }
    }
}

/// The formula of `docs/protocol.md`.
#[test]
fn messages_and_bytes_are_as_stated() {
    for (parties, cells, recipients) in
        [(2, 1, vec![0]), (3, 1000, vec![0, 1, 2]), (4, 2 * chunk::LENGTH + 5, vec![1, 3]), (5, 10, vec![4])]
    {
        let (outcomes, transcript) = run(parties, cells, &recipients, None);
        assert!(outcomes.iter().all(Result::is_ok));
        let transcript = transcript.lock().unwrap();
        for party in 0..parties {
            let mine: Vec<&Sent> = transcript.iter().filter(|sent| sent.from == party).collect();
            let chunks = chunk::count(cells as u64) as usize;
            let openings = recipients.iter().filter(|recipient| **recipient != party).count();
            let seeds = parties - 1 - party;
            let messages = seeds + (parties - 1) + openings * chunks;
            let bytes = 40 * seeds + 8 * (parties - 1) + openings * (chunk::HEADER * chunks + 8 * cells);
            assert_eq!(mine.len(), messages, "{parties} parties, {cells} cells");
            assert_eq!(mine.iter().map(|sent| sent.message.body.len()).sum::<usize>(), bytes);
            let count = |kind| mine.iter().filter(|sent| sent.message.kind == kind).count();
            assert_eq!(count(Kind::Seed), seeds);
            assert_eq!(count(Kind::Sealed), parties - 1);
            assert_eq!(count(Kind::Opened), openings * chunks);
        }
    }
}

/// Nothing of a sum leaves before all have sealed, whatever the order of messages.
#[test]
fn nothing_is_opened_before_all_are_sealed() {
    let (outcomes, transcript) = run(3, 50, &[0, 1, 2], None);
    assert!(outcomes.iter().all(Result::is_ok));
    let transcript = transcript.lock().unwrap();
    for party in 0..3 {
        let first = transcript
            .iter()
            .position(|sent| sent.from == party && sent.message.kind == Kind::Opened)
            .unwrap();
        let seals = transcript[..first]
            .iter()
            .filter(|sent| sent.to == party && sent.message.kind == Kind::Sealed)
            .count();
        assert_eq!(seals, 2);
    }
}

#[test]
fn a_bad_message_stops_the_parties_and_names_its_sender() {
    let cells = chunk::LENGTH + 10;
    type Change = fn(Message) -> Vec<Message>;
    let bad: Vec<(&str, Kind, usize, Change)> = vec![
        ("a shortened chunk", Kind::Opened, 0, |mut m| {
            m.body.pop();
            vec![m]
        }),
        ("a chunk twice", Kind::Opened, 0, |m| vec![m.clone(), m]),
        ("a chunk lost", Kind::Opened, 0, |_| vec![]),
        ("a chunk of another attempt", Kind::Opened, 1, |mut m| {
            m.body[0] ^= 1;
            vec![m]
        }),
        ("a chunk of another place", Kind::Opened, 1, |mut m| {
            m.body[8] ^= 8;
            vec![m]
        }),
        ("a long opened chunk", Kind::Opened, 0, |mut m| {
            m.body.push(0);
            vec![m]
        }),
        ("a short seed", Kind::Seed, 0, |mut m| {
            m.body.truncate(39);
            vec![m]
        }),
        ("a long seed", Kind::Seed, 0, |mut m| {
            m.body.push(0);
            vec![m]
        }),
        ("a seed of another attempt", Kind::Seed, 0, |mut m| {
            m.body[7] = 1;
            vec![m]
        }),
        ("a seal of another attempt", Kind::Sealed, 0, |mut m| {
            m.body[0] ^= 1;
            vec![m]
        }),
        ("an empty seal", Kind::Sealed, 0, |mut m| {
            m.body.clear();
            vec![m]
        }),
        ("another kind", Kind::Sealed, 0, |mut m| {
            m.kind = Kind::Opened;
            vec![m]
        }),
    ];
    for (what, kind, nth, change) in bad {
        let seen = Arc::new(Mutex::new(0));
        let tamper: Tamper = Arc::new(move |from, _, _, message| {
            let mut seen = seen.lock().unwrap();
            if from != 1 || message.kind != kind {
                return vec![message];
            }
            *seen += 1;
            if *seen == nth + 1 { change(message) } else { vec![message] }
        });
        let (outcomes, _) = run(3, cells, &[0, 1, 2], Some(tamper));
        let named = outcomes
            .iter()
            .any(|outcome| matches!(outcome, Err(ProtocolError::Unexpected { peer, .. }) if peer == "south"));
        assert!(named, "{what}: {:?}", outcomes.iter().map(|o| o.as_ref().err()).collect::<Vec<_>>());
        // Nobody got a wrong total.
        for (_, total) in outcomes.into_iter().flatten() {
            assert!(total.is_none_or(|total| total == expected(3, cells)), "{what}");
        }
    }
}

#[test]
fn a_peer_that_gives_up_is_named_with_its_reason() {
    let tamper: Tamper = Arc::new(|from, to, _, message| match message.kind {
        Kind::Seed if from == 1 => {
            assert_eq!(to, 2);
            vec![Message { kind: Kind::Abort, body: b"its budget refused".to_vec() }]
        }
        _ => vec![message],
    });
    let (outcomes, _) = run(3, 10, &[0], Some(tamper));
    assert!(matches!(
        &outcomes[2],
        Err(ProtocolError::Link(LinkError::Aborted { peer, reason })) if peer == "south" && reason == "its budget refused"
    ));
    assert!(matches!(&outcomes[0], Err(ProtocolError::Link(LinkError::Unreachable { .. }))));
}

#[test]
fn one_party_alone_shares_nothing() {
    let (mut links, _) = network(&NAMES[..1], None);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(party(&links.remove(0), vec![1], &[0]));
    assert!(matches!(outcome, Err(ProtocolError::Parties { parties: 1 })));
}

/// Any party's share is masked: with fresh seeds it is another one each time, for the same input.
#[test]
fn shares_are_fresh_each_time() {
    let held = |_| run(3, 64, &[0], None).0.remove(0).unwrap().0;
    let all: Vec<Vec<u64>> = (0..4).map(held).collect();
    for (i, one) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|other| one.iter().zip(other).all(|(a, b)| a != b)));
    }
}
