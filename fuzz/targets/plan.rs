//! Any bytes as a peer's plan. One that is accepted reads back the same, and can be compared and decoded.
#![no_main]

use veilgrid_api::plan::Plan;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(plan) = Plan::from_json_bounded(bytes) {
        let canonical = plan.canonical();
        let again = Plan::from_json_bounded(canonical.as_bytes()).expect("an accepted plan stays good");
        assert_eq!(again.hash(), plan.hash());
        if plan.cells <= 4096 {
            veilgrid_party::decode::decode(&plan, &vec![u64::MAX; plan.cells as usize]);
        }
    }
});
