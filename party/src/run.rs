//! One job of one party, from plan to result.
