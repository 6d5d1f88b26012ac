//! The hospitals example as a finished run, for tests.

use veilgrid_api::{
    manifest,
    plan::{ColumnKind, Component, Measure, Plan},
    planner,
};
use veilgrid_party::{
    decode::{Answers, decode},
    receipt::{
        Charged, Receipt, Released, ResultSignature, VERSION, hex::hex, result_hash,
        signature::PartySignature,
    },
};

/// What three hospitals may see: true sums with noise of about the size that the plan asks for.
pub(crate) fn hospitals() -> (Answers, Receipt) {
    let manifest = manifest::parse(include_str!("../../../examples/hospitals/job.yaml")).unwrap();
    let plan = planner::plan(&manifest, None, "0123456789abcdef0123456789abcdef").unwrap();
    let mut opened = Vec::new();
    for statistic in &plan.statistics {
        for component in &statistic.components {
            let noise = 1.7 * component.scale.numerator as f64 / component.scale.denominator as f64;
            for sum in sums(&plan, &statistic.name, component) {
                // A fixed sequence in -1..1.
                let wave = (opened.len() as f64 * 2.4).sin();
                opened.push(((sum + wave * noise).round() as i64).cast_unsigned());
            }
        }
    }
    let answers = decode(&plan, &opened);
    let receipt = receipt(plan, &answers);
    (answers, receipt)
}

/// The exact cells of a component, in its units.
fn sums(plan: &Plan, statistic: &str, component: &Component) -> Vec<f64> {
    let unit = |column: u32| match plan.columns[column as usize].kind {
        ColumnKind::Number { fraction_bits, .. } => f64::from(fraction_bits).exp2(),
        ColumnKind::Category { .. } => panic!("a number column"),
    };
    let (rows, means) = ([212.0, 357.0], [17.46, 12.15]);
    match (statistic, &component.measure) {
        ("patients" | "variance of concave points", Measure::Rows) => vec![569.0],
        ("patients with large nuclei", Measure::Rows) => vec![187.0, 5.0],
        (_, Measure::Rows) => rows.to_vec(),
        (_, Measure::Sum { column }) => vec![372_631.9 * unit(*column)],
        ("mean radius", Measure::CenteredSum { column, center }) => {
            rows.iter().zip(means).map(|(n, mean)| n * (mean * unit(*column) - *center as f64)).collect()
        }
        (_, Measure::CenteredSum { column, center }) => {
            vec![569.0 * (0.1146 * unit(*column) - *center as f64)]
        }
        (_, Measure::CenteredSquares { column, center, shift }) => {
            let off = 0.1146 * unit(*column) - *center as f64;
            vec![569.0 * (0.00432 * unit(*column).powi(2) + off * off) / f64::from(*shift).exp2()]
        }
        ("radius", Measure::Bins { .. }) => {
            let malignant = [0.0, 0.0, 4.0, 22.0, 45.0, 43.0, 49.0, 41.0, 8.0];
            let benign = [7.0, 40.0, 108.0, 144.0, 53.0, 5.0, 0.0, 0.0, 0.0];
            malignant.into_iter().chain(benign).collect()
        }
        (_, Measure::Bins { .. }) => {
            vec![3.0, 38.0, 81.0, 115.0, 91.0, 62.0, 37.0, 42.0, 41.0, 49.0, 10.0]
        }
    }
}

fn receipt(plan: Plan, answers: &Answers) -> Receipt {
    let digits = |seed: u64, length: usize| {
        let mut word = seed;
        let mut digit = || {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{:x}", word >> 60)
        };
        (0..length).map(|_| digit()).collect::<String>()
    };
    let names: Vec<String> = plan.parties.iter().map(|party| party.name.clone()).collect();
    let signed = |(party, index): (String, u64)| PartySignature {
        party,
        public_key: digits(index, 64),
        signature: digits(index + 10, 128),
    };
    let charged = |index: usize| Charged {
        party: names[index].clone(),
        dataset: plan.parties[index].dataset.clone(),
        budget: plan.parties[index].budget.clone(),
        epsilon: plan.epsilon,
        delta: plan.delta,
        signature: digits(index as u64 + 20, 128),
    };
    let released =
        |(party, index): (String, u64)| ResultSignature { party, signature: digits(index + 30, 128) };
    let signatures = names.iter().cloned().zip(1..).map(signed).collect();
    let charges = (0..names.len()).map(charged).collect();
    let hash = hex(&result_hash(&answers.canonical()));
    let released = names.iter().cloned().zip(1..).map(released).collect();
    let result = Released { hash, signatures: released };
    Receipt { version: VERSION, plan_hash: plan.hash().to_string(), plan, signatures, charges, result }
}
