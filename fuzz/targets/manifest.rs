//! Any bytes as a manifest: parsed, validated and planned, or every fault told.
#![no_main]

use veilgrid_api::{manifest, planner};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = manifest::parse_bytes(bytes)
        && let Ok(plan) = planner::plan(&manifest, None, "00112233445566778899aabbccddeeff")
    {
        // What is planned here must be good to a peer.
        let canonical = plan.canonical();
        let read = veilgrid_api::plan::Plan::from_json_bounded(canonical.as_bytes());
        assert_eq!(read.expect("a plan of ours is good").canonical(), canonical);
    }
});
