//! Any bytes as a CSV file of a small schema. Rows that are read are finite numbers and declared words, within the limit.
#![no_main]

use std::sync::LazyLock;
use veilgrid_api::{manifest, plan::Plan, planner};
use veilgrid_party::input::{RowReader, Rows, Values, Wanted, csv::CsvRows};

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let manifest = manifest::parse(include_str!("../csv.yaml")).expect("the manifest is good");
    planner::plan(&manifest, None, "00112233445566778899aabbccddeeff").expect("the manifest is good")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (Some((delimiter, bytes)), plan) = (bytes.split_first(), &*PLAN) else { return };
    let delimiter = [b',', b';', b'\t', b'|'][usize::from(*delimiter) % 4];
    for party in 0..plan.parties.len() {
        let wanted = Wanted::new(plan, party);
        let Ok(mut reader) = CsvRows::new(bytes, bytes.len() as u64, "rows.csv".into(), delimiter, wanted)
        else {
            continue;
        };
        let mut count = 0;
        let mut rows = Rows::default();
        while let Ok(true) = reader.next(&mut rows) {
            count += rows.len as u64;
            for values in &rows.columns {
                match values {
                    Values::Numbers(numbers) => {
                        assert_eq!(numbers.len(), rows.len);
                        assert!(numbers.iter().all(|number| number.is_finite()));
                    }
                    Values::Categories(indices) => {
                        assert_eq!(indices.len(), rows.len);
                        assert!(indices.iter().all(|index| *index < 2));
                    }
                }
            }
        }
        assert!(count <= plan.parties[party].max_rows);
    }
});
