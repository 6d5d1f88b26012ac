//! Any bytes off the wire. Frames that are accepted are within bounds, and the parser always moves on.
#![no_main]

use veilgrid_party::transport::{frame, links::MAX_BODY};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Some((frame, left))) = frame::parse(rest) {
        assert!(left.len() < rest.len());
        if let frame::Frame::Message { body, .. } = frame {
            assert!(body.len() <= MAX_BODY);
        }
        rest = left;
    }
});
