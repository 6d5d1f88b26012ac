//! Answers against the same statistics in the clear, over the example's three hospitals and over made-up rows.

mod rows;

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use std::{collections::BTreeMap, fs, path::PathBuf};
use veilgrid_api::{amount::Epsilon, manifest, plan::Plan, planner};
use veilgrid_kernels::{Device, Laplace, Seed, noise};
use veilgrid_party::{
    aggregate::aggregate,
    decode::{Answers, Value, decode},
    input, noise as law,
};

/// Draws per test. Each interval may miss its exact figure in 5 of 100 draws.
const DRAWS: u32 = 400;

/// The most misses of a figure that are put down to chance. With 400 draws of probability 0.05, 20 are expected, and 50
/// or more have a probability of 3e-9; the tests look at fewer than 200 figures, so a right program fails in one of a
/// million runs at most. (Seeds are fixed: it fails always or never.)
const MISSES: u32 = 49;

fn hospitals() -> (Plan, Vec<u64>, Vec<BTreeMap<String, String>>) {
    let base = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/hospitals");
    let manifest = manifest::parse(&fs::read_to_string(base.join("job.yaml")).unwrap()).unwrap();
    let plan = planner::plan(&manifest, None, &"5".repeat(32)).unwrap();
    let device = Device::cpu().unwrap();
    let mut total = vec![0u64; plan.cells as usize];
    for party in 0..3 {
        let spec = planner::source(&manifest, &plan, party).unwrap();
        let mut reader = input::open(spec, &base, &plan, party).unwrap();
        let sums = aggregate(&plan, &mut *reader, &device, &mut |_| {}).unwrap();
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total = total.wrapping_add(sum));
    }
    (plan, total, clear_rows(&base))
}

/// The rows by another way than the party's: whole records, as text.
fn clear_rows(base: &std::path::Path) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_path(base.join("north.csv")).unwrap();
    let mut rows: Vec<BTreeMap<String, String>> = csv.deserialize().map(Result::unwrap).collect();
    for name in ["south.parquet", "west.parquet"] {
        let file = SerializedFileReader::new(fs::File::open(base.join(name)).unwrap()).unwrap();
        for row in file.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let text = |field: &Field| match field {
                Field::Str(text) => text.clone(),
                Field::Double(value) => value.to_string(),
                other => panic!("{other:?}"),
            };
            rows.push(row.get_column_iter().map(|(name, field)| (name.clone(), text(field))).collect());
        }
    }
    rows
}

/// The vector that parties would open, with every party's noise of one seed.
fn opened(plan: &Plan, exact: &[u64], seed: u32) -> Vec<u64> {
    let device = Device::cpu().unwrap();
    let mut vector = exact.to_vec();
    for party in 0..plan.parties.len() {
        let mut key = [party as u8; 32];
        key[..4].copy_from_slice(&seed.to_le_bytes());
        let mut stream = Seed::from_bytes(key).stream(2);
        for component in plan.statistics.iter().flat_map(|statistic| &statistic.components) {
            let table = Laplace::new(component.scale.numerator, component.scale.denominator).unwrap();
            let run = component.offset as usize..(component.offset + component.cells) as usize;
            noise::laplace_add(&device, &table, &mut stream, &mut vector[run]).unwrap();
        }
    }
    vector
}

/// Figures by `statistic/group/index`.
fn figures(answers: &Answers) -> BTreeMap<String, Value> {
    let mut figures = BTreeMap::new();
    for answer in &answers.statistics {
        for group in &answer.groups {
            for (index, value) in group.values.iter().enumerate() {
                let word = group.group.as_deref().unwrap_or("-");
                figures.insert(format!("{}/{word}/{index}", answer.name), value.clone());
            }
        }
    }
    figures
}

/// Exact figures from the clear rows: the most that rounding to units may move each comes second.
fn truth(rows: &[BTreeMap<String, String>]) -> BTreeMap<String, (f64, f64)> {
    let number = |row: &BTreeMap<String, String>, name: &str, min: f64, max: f64| -> f64 {
        row[name].parse::<f64>().unwrap().clamp(min, max)
    };
    let mut truth = BTreeMap::new();
    truth.insert("patients/-/0".to_owned(), (rows.len() as f64, 0.0));
    let radius_edges = [5.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 25.0];
    for word in ["malignant", "benign"] {
        let group: Vec<_> = rows.iter().filter(|row| row["diagnosis"] == word).collect();
        truth.insert(format!("patients by diagnosis/{word}/0"), (group.len() as f64, 0.0));
        let large = group.iter().filter(|row| number(row, "worst_radius", 5.0, 40.0) >= 16.75);
        truth.insert(format!("patients with large nuclei/{word}/0"), (large.count() as f64, 0.0));
        let radii: Vec<_> = group.iter().map(|row| number(row, "mean_radius", 5.0, 25.0)).collect();
        let mean = radii.iter().sum::<f64>() / radii.len() as f64;
        truth.insert(format!("mean radius/{word}/0"), (mean, 1.0 / 1024.0));
        for (bin, edges) in radius_edges.windows(2).enumerate() {
            let last = bin == radius_edges.len() - 2;
            let within = radii.iter().filter(|x| **x >= edges[0] && (**x < edges[1] || last));
            truth.insert(format!("radius/{word}/{bin}"), (within.count() as f64, 0.0));
        }
    }
    let mut areas: Vec<_> = rows.iter().map(|row| number(row, "mean_area", 0.0, 2500.0)).collect();
    areas.sort_by(f64::total_cmp);
    truth.insert("total area/-/0".to_owned(), (areas.iter().sum(), 569.0 / 16.0));
    for (index, share) in [0.25f64, 0.5, 0.75].into_iter().enumerate() {
        let rank = (share * areas.len() as f64).ceil() as usize;
        truth.insert(format!("area quartiles/-/{index}"), (areas[rank - 1], 1.0 / 16.0));
    }
    let points: Vec<_> = rows.iter().map(|row| number(row, "worst_concave_points", 0.0, 0.3)).collect();
    let mean = points.iter().sum::<f64>() / points.len() as f64;
    let variance = points.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / points.len() as f64;
    truth.insert("variance of concave points/-/0".to_owned(), (variance, 1e-6));
    truth
}

#[test]
fn without_noise_the_hospitals_answers_are_the_clear_ones() {
    let (plan, exact, rows) = hospitals();
    let answers = figures(&decode(&plan, &exact));
    let truth = truth(&rows);
    assert_eq!(answers.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>());
    for (name, (value, slack)) in &truth {
        // Quantiles are interpolated within a bin of 100 or 200.
        let slack = if name.starts_with("area quartiles") { 40.0 } else { *slack };
        let found = answers[name].value;
        assert!((found - value).abs() <= slack, "{name}: {found} against {value}");
    }
}

#[test]
fn intervals_hold_the_hospitals_exact_figures() {
    let (plan, exact, rows) = hospitals();
    let truth = truth(&rows);
    let mut misses: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..DRAWS {
        let answers = figures(&decode(&plan, &opened(&plan, &exact, seed)));
        for (name, (value, slack)) in &truth {
            let Value { interval: [low, high], value: estimate, .. } = answers[name];
            assert!(low <= high && estimate.is_finite());
            if *value < low - slack || *value > high + slack {
                *misses.entry(name).or_default() += 1;
            }
        }
    }
    for (name, count) in &misses {
        assert!(*count <= MISSES, "{name} is outside of its interval in {count} of {DRAWS} draws");
    }
    // The exact law is not only safe but tight: a count is missed now and then.
    let counts = misses.get("patients/-/0").copied().unwrap_or(0);
    assert!(counts >= 4, "a count is missed in {counts} of {DRAWS} draws, where 20 are expected");
}

#[test]
fn the_example_is_useful() {
    let (plan, exact, _) = hospitals();
    let answers = figures(&decode(&plan, &opened(&plan, &exact, 1)));
    let width = |name: &str| answers[name].interval[1] - answers[name].interval[0];
    assert!(width("patients/-/0") < 569.0 * 0.2);
    assert!(width("mean radius/malignant/0") < 10.0 && width("mean radius/benign/0") < 10.0);
    assert!(answers["mean radius/malignant/0"].value > answers["mean radius/benign/0"].value + 2.0);
    assert!(width("area quartiles/-/1") < 700.0);
    assert!(width("total area/-/0") < 372_000.0 * 0.5);
}

#[test]
fn the_document_is_the_same_everywhere() {
    let (plan, exact, _) = hospitals();
    let vector = opened(&plan, &exact, 3);
    let (one, two) = (decode(&plan, &vector), decode(&plan, &vector));
    assert_eq!(one.canonical(), two.canonical());
    let text = String::from_utf8(one.canonical()).unwrap();
    assert!(text.ends_with("}\n") && !text.contains("null") && !text.contains("-0.0,"), "{text}");
    let read: Answers = serde_json::from_str(&text).unwrap();
    assert_eq!(read, one);
    assert_eq!(read.canonical(), one.canonical());
    assert_eq!(one.statistics[2].filter.as_deref(), Some("worst_radius >= 16.75"));
    assert_eq!(one.epsilon, Epsilon::from_f64(3.0).unwrap());
}

/// Any opened vector, however absurd, gives finite answers within bounds.
#[test]
fn absurd_vectors_give_sane_answers() {
    let (plan, _, _) = hospitals();
    for vector in [0, 1, u64::MAX, 1 << 63, (1 << 63) - 1, 12_345_678_901] {
        let answers = decode(&plan, &vec![vector; plan.cells as usize]);
        for (name, value) in figures(&answers) {
            let [low, high] = value.interval;
            assert!(value.value.is_finite() && low.is_finite() && low <= high, "{name}: {value:?}");
            let bounds = match name.split('/').next().unwrap() {
                "mean radius" => 5.0..=25.0,
                "area quartiles" => 0.0..=2500.0,
                "variance of concave points" => 0.0..=0.0226,
                _ => continue,
            };
            for figure in [value.value, low, high] {
                assert!(bounds.contains(&figure), "{name}: {value:?}");
            }
        }
    }
}

/// Half widths against simulation: the share of sums of samples within them.
#[test]
fn half_widths_hold_the_sampler() {
    const SAMPLES: usize = 200_000;
    let device = Device::cpu().unwrap();
    for (numerator, denominator, parties) in [(1u64, 2u64, 2u8), (7, 2, 3), (10, 1, 5), (100_000, 1, 2)] {
        let table = Laplace::new(numerator, denominator).unwrap();
        let mut sums = vec![0u64; SAMPLES];
        for party in 0..parties {
            let mut stream = Seed::from_bytes([party + 40; 32]).stream(2);
            noise::laplace_add(&device, &table, &mut stream, &mut sums).unwrap();
        }
        let scale = veilgrid_api::plan::Scale { numerator, denominator };
        let law = law::Law::new(scale, u64::from(parties));
        for confidence in [0.5, 0.95, 0.99] {
            let t = law.half_width(confidence) as u64;
            let share = |t: u64| {
                let within = sums.iter().filter(|sum| sum.cast_signed().unsigned_abs() <= t).count();
                within as f64 / SAMPLES as f64
            };
            // Six standard deviations: a false alarm in one of 1e9 runs for each comparison.
            let slack = 6.0 * (confidence * (1.0 - confidence) / SAMPLES as f64).sqrt();
            assert!(
                share(t) >= confidence - slack,
                "{numerator}/{denominator} x {parties}: {t} holds too few"
            );
            // A coarse grid rounds up by a step or two.
            let less = if t > 1000 { Some(t * 99 / 100) } else { t.checked_sub(1) };
            let tight = less.is_none_or(|less| share(less) < confidence + slack);
            assert!(tight, "{numerator}/{denominator} x {parties}: {t} is too wide");
        }
    }
}

/// Small groups, where the noise is as large as the figure, and squares that lose bits.
#[test]
fn intervals_hold_small_groups() {
    let statistics = [
        "{name: mean, mean: {column: pay}, groupBy: ward}",
        "{name: variance, variance: {column: pay}, groupBy: ward}",
        "{name: quantiles, quantiles: {column: pay, edges: [0, 100, 200, 300, 400, 500, 600, 1000], probabilities: [0.1, 0.5, 0.9]}, groupBy: ward}",
    ];
    let columns = [
        "{name: pay, number: {min: 0, max: 1000, fractionBits: 30}}",
        "{name: ward, category: {values: [a, b]}}",
    ];
    let mut job = rows::Job::new("{path: rows.csv}", &columns, &statistics);
    job.epsilon = "12".to_owned();
    let (plan, spec) = job.plan();
    let folder = tempfile::TempDir::new().unwrap();
    let pays =
        |ward: u32| (0..if ward == 0 { 7u32 } else { 200 }).map(move |i| f64::from(i * i * 37 % 901) + 0.5);
    let mut text = "ward,pay\n".to_owned();
    for (ward, name) in [(0, "a"), (1, "b")] {
        pays(ward).for_each(|pay| text += &format!("{name},{pay}\n"));
    }
    fs::write(folder.path().join("rows.csv"), text).unwrap();
    let mut reader = input::open(&spec, folder.path(), &plan, 0).unwrap();
    let exact = aggregate(&plan, &mut *reader, &Device::cpu().unwrap(), &mut |_| {}).unwrap();
    let mut truth = BTreeMap::new();
    for (ward, name) in [(0, "a"), (1, "b")] {
        let mut values: Vec<f64> = pays(ward).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        truth.insert(format!("mean/{name}/0"), mean);
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        truth.insert(format!("variance/{name}/0"), variance);
        for (index, share) in [0.1f64, 0.5, 0.9].into_iter().enumerate() {
            let rank = (share * count).ceil() as usize;
            truth.insert(format!("quantiles/{name}/{index}"), values[rank - 1]);
        }
    }
    let mut misses: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..DRAWS {
        let answers = figures(&decode(&plan, &opened(&plan, &exact, seed)));
        for (name, value) in &truth {
            let [low, high] = answers[name].interval;
            *misses.entry(name).or_default() += u32::from(*value < low - 1e-6 || *value > high + 1e-6);
        }
    }
    for (name, count) in &misses {
        assert!(*count <= MISSES, "{name} is outside of its interval in {count} of {DRAWS} draws");
    }
}
