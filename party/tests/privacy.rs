//! Outputs on neighbouring inputs, as those see them who know the rows and the noise of everybody else: rows of one
//! party, read, summed and noised as in a run, many times over.
//!
//! A coin decides for each draw which of two neighbours is noised. Of the draws that come out with one same vector, the
//! share that comes from either neighbour has an expectation of at most `e^epsilon / (1 + e^epsilon)`, whatever the vector;
//! by Chernoff's bound, `m` such draws of which `k` come from one side have a probability of at most
//! `exp(-m KL(k / m, q))`. There are never more vectors than draws, so asking this of every vector and of both sides at
//! `ALARM / (2 DRAWS)` each raises a false alarm with probability at most `ALARM` for each pair of neighbours.

mod rows;

use rows::Job;
use std::collections::{BTreeSet, HashMap};
use tempfile::TempDir;
use veilgrid_api::plan::Plan;
use veilgrid_kernels::{Device, Seed};
use veilgrid_party::{
    aggregate::aggregate,
    decode::decode,
    protocol::noise::{Noise, PlannedNoise},
};

/// Draws for each pair of neighbours.
const DRAWS: u64 = 2_000_000;
/// The false-alarm rate for each pair of neighbours. Seeds are fixed: it comes always or never.
const ALARM: f64 = 1e-9;

/// The sums of one party's rows.
fn sums(job: &Job, plan: &Plan, text: &str) -> Vec<u64> {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("rows.csv"), text).unwrap();
    let mut reader = job.open(folder.path()).unwrap();
    aggregate(plan, &mut *reader, &Device::cpu().unwrap(), &mut |_| {}).unwrap()
}

/// How often each noised vector came from each of the inputs.
type Seen = HashMap<Vec<u64>, [u64; 2]>;

/// Noises one of two vectors, by a coin, so many times.
fn draw(plan: &Plan, inputs: &[Vec<u64>; 2], seed: u8) -> Seen {
    let device = Device::cpu().unwrap();
    let mut noise = PlannedNoise::new(plan, Seed::from_bytes([seed; 32])).unwrap();
    let mut coins = vec![0u64; DRAWS.div_ceil(64) as usize];
    // Another stream of the same seed.
    let mut stream = Seed::from_bytes([seed; 32]).stream(77);
    veilgrid_kernels::mask::add(&device, &mut coins, &mut stream).unwrap();
    let mut seen = Seen::new();
    let mut vector = inputs[0].clone();
    for i in 0..DRAWS {
        let side = (coins[(i / 64) as usize] >> (i % 64) & 1) as usize;
        vector.copy_from_slice(&inputs[side]);
        noise.add(&device, 0, &mut vector).unwrap();
        match seen.get_mut(&vector) {
            Some(counts) => counts[side] += 1,
            None => {
                let mut counts = [0; 2];
                counts[side] = 1;
                seen.insert(vector.clone(), counts);
            }
        }
    }
    seen
}

/// The vectors whose counts no `epsilon` of this size explains.
fn alarms(seen: &Seen, epsilon: f64) -> usize {
    let limit = epsilon.exp() / (1.0 + epsilon.exp());
    let unlikely = |side: u64, all: u64| {
        let share = side as f64 / all as f64;
        if share <= limit {
            return false;
        }
        let other = if share < 1.0 { (1.0 - share) * ((1.0 - share) / (1.0 - limit)).ln() } else { 0.0 };
        let divergence = share * (share / limit).ln() + other;
        all as f64 * divergence > (2.0 * DRAWS as f64 / ALARM).ln()
    };
    seen.values().filter(|counts| counts.iter().any(|side| unlikely(*side, counts[0] + counts[1]))).count()
}

/// Neighbours: a job, its rows, and those that make up one unit of privacy.
fn neighbours(job: &Job, rows: &str, unit: &str) -> (Plan, [Vec<u64>; 2]) {
    let (plan, _) = job.plan();
    let inputs = [sums(job, &plan, rows), sums(job, &plan, &format!("{rows}{unit}"))];
    (plan, inputs)
}

fn job(columns: &[&str], statistics: &[&str], epsilon: &str) -> Job {
    let mut job = Job::new("{path: rows.csv}", columns, statistics);
    job.epsilon = epsilon.to_owned();
    job
}

const PAY: &str = "{name: pay, number: {min: -1, max: 2, fractionBits: 0}}";
const WARD: &str = "{name: ward, category: {values: [a, b]}}";

/// The epsilon is kept in every output; and a right one that is a little smaller is not, which shows that the test sees.
fn holds(job: &Job, rows: &str, unit: &str, epsilon: f64, seed: u8) {
    let (plan, inputs) = neighbours(job, rows, unit);
    assert!(inputs[0] != inputs[1], "the unit counts");
    let seen = draw(&plan, &inputs, seed);
    assert_eq!(alarms(&seen, epsilon), 0);
    assert!(alarms(&seen, 0.85 * epsilon) > 0, "a loss 18 % above the promise would not be seen");
}

#[test]
fn a_row_of_counts_and_sums() {
    // The row of the largest value moves the count by one and the sum by its whole sensitivity.
    let job = job(&[PAY], &["{name: rows, count: {}}", "{name: pay, sum: {column: pay}}"], "1.5");
    holds(&job, "pay\n1\n0\n", "2\n", 1.5, 1);
    // A value out of bounds moves it no further.
    holds(&job, "pay\n1\n0\n", "1e300\n", 1.5, 2);
}

#[test]
fn a_row_of_a_group() {
    let statistics = ["{name: rows, count: {}, groupBy: ward, weight: 3}", "{name: pay, sum: {column: pay}}"];
    let job = job(&[PAY, WARD], &statistics, "2");
    holds(&job, "pay,ward\n1,a\n", "2,b\n", 2.0, 3);
}

#[test]
fn a_row_of_a_mean() {
    // Centred at zero, so again the largest value moves both sums the most.
    let job = job(&[PAY], &["{name: pay, mean: {column: pay}}"], "1");
    holds(&job, "pay\n0\n", "2\n", 1.0, 4);
}

#[test]
fn a_row_of_a_histogram() {
    let job = job(&[PAY], &["{name: pay, histogram: {column: pay, edges: [-1, 0, 2]}}"], "1");
    holds(&job, "pay\n0\n-1\n", "1\n", 1.0, 5);
}

#[test]
fn all_rows_of_a_person() {
    let person = "{name: who, identifier: {}}";
    let mut job = job(&[PAY, person], &["{name: pay, sum: {column: pay}}"], "1");
    job.more = "maxRows: 100\nperson: {column: who, maxRows: 3}".to_owned();
    // Five rows, of which three count.
    holds(&job, "pay,who\n1,x\n", "2,y\n2,y\n2,y\n2,y\n2,y\n", 1.0, 6);
}

#[test]
fn what_can_come_out_does_not_depend_on_the_rows() {
    let statistics = ["{name: rows, count: {}}", "{name: pay, sum: {column: pay}}"];
    let columns = ["{name: pay, number: {min: 0, max: 8, fractionBits: 0}}"];
    let job = job(&columns, &statistics, "3");
    // Sums of eights and an odd one: a lattice would show.
    let (plan, inputs) = neighbours(&job, &format!("pay\n{}", "8\n".repeat(40)), "3\n");
    let seen = draw(&plan, &inputs, 7);
    for cell in 0..plan.cells as usize {
        let values = |side: usize| -> BTreeSet<i64> {
            let came = seen.iter().filter(|(_, counts)| counts[side] > 0);
            came.map(|(vector, _)| vector[cell].cast_signed()).collect()
        };
        let [without, with] = [values(0), values(1)];
        let scale = plan.statistics[cell].components[0].scale;
        // Each value within so many scales is expected more than a hundred times.
        let reach = (5.0 * scale.numerator as f64 / scale.denominator as f64) as i64;
        let (low, high) = (inputs[0][cell].cast_signed(), inputs[1][cell].cast_signed());
        let (low, high) = (low.min(high) - reach, low.max(high) + reach);
        let near = |values: &BTreeSet<i64>| values.range(low..=high).copied().collect::<Vec<_>>();
        assert_eq!(near(&without), (low..=high).collect::<Vec<_>>(), "cell {cell}");
        assert_eq!(near(&with), (low..=high).collect::<Vec<_>>(), "cell {cell}");
    }
    // Nor does the form of the answers: the same fields, the same number of figures.
    let form = |vector: &[u64]| {
        let text = serde_json::to_string(&decode(&plan, vector)).unwrap();
        text.chars().filter(|c| !c.is_ascii_digit() && !".-e+".contains(*c)).collect::<String>()
    };
    let forms: BTreeSet<String> = seen.keys().take(500).map(|vector| form(vector)).collect();
    assert_eq!(forms.len(), 1, "{forms:?}");
}
