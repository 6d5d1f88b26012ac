//! What a party must find again after a crash.
