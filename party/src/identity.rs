//! The lasting signing key of a party, and the keys of the peers it trusts.
