//! A valid manifest becomes one plan, with the figures that the documentation states.

use veilgrid_api::{
    manifest::parse,
    plan::{Measure, Question, Scale},
    planner,
    validate::validate,
};

const HOSPITALS: &str = include_str!("manifests/hospitals.yaml");
const RUN: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn hospitals_are_planned() {
    let manifest = parse(HOSPITALS).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(validate(&manifest), []);
    let plan = planner::plan(&manifest, None, RUN).unwrap();
    assert_eq!(plan, planner::plan(&manifest, Some("default/hospitals"), RUN).unwrap());
    assert_eq!(plan.job, "default/hospitals");
    assert_eq!(plan.recipients, [0, 1]);
    assert_eq!(
        plan.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["area", "diagnosis", "radius"]
    );
    assert_eq!(plan.parties[2].dataset, "east/east");
    assert!(plan.parties[1].public_key.as_deref().unwrap().starts_with("ab0"));
    assert_eq!(planner::source(&manifest, &plan, 2).unwrap().source.path, "/data/east.dat");
    assert_eq!(planner::source(&manifest, &plan, 3), None);

    // Eight weights share four; a person of south has three rows.
    let rows = &plan.statistics[0].components[0];
    assert_eq!((rows.sensitivity, rows.scale), (3, Scale { numerator: 6, denominator: 1 }));
    assert_eq!(plan.statistics[1].components[0].offset, 1);
    assert_eq!(plan.statistics[1].components[0].cells, 2);
    let sum = &plan.statistics[2].components[0];
    assert_eq!((&sum.measure, sum.sensitivity), (&Measure::Sum { column: 2 }, 3 * 40 * 1024));
    let mean = &plan.statistics[3].components;
    assert_eq!(mean[0].measure, Measure::CenteredSum { column: 2, center: 20 * 1024 });
    assert_eq!(mean[0].sensitivity, 3 * 20 * 1024);
    let variance = &plan.statistics[4].components;
    assert_eq!(variance[1].measure, Measure::CenteredSquares { column: 2, center: 20 * 1024, shift: 0 });
    assert_eq!(variance[1].sensitivity, 3 * (20 * 1024u64).pow(2));
    // A third of a half, rounded down.
    assert_eq!(variance[1].epsilon.units(), 166_666_666);
    assert_eq!(plan.statistics[4].epsilon.units(), 3 * 166_666_666);
    assert_eq!(plan.statistics[5].components[0].cells, 4);
    let Question::Quantiles { probabilities, .. } = &plan.statistics[6].question else { panic!() };
    assert_eq!(probabilities[..], [250_000, 500_000, 750_000]);
    assert_eq!(plan.statistics[6].filter.as_ref().unwrap().value, 12 * 1024 + 512);
    assert_eq!(plan.cells, plan.statistics.iter().flat_map(|s| &s.components).map(|c| c.cells).sum::<u64>());
}
