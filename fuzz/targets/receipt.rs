//! Any bytes as a receipt, with any bytes as its result: every check has a verdict, and none panics.
#![no_main]

use veilgrid_party::receipt;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (receipt, result) = bytes.split_at(bytes.len() - bytes.len() / 4);
    for result in [None, Some(result)] {
        let checks = receipt::verify(receipt, result, None);
        assert!(!checks.is_empty());
    }
});
