//! Parties agree on one plan and on who they are.
