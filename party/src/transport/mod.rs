//! Messages between parties over mutually authenticated TLS.
