//! Rows of this party, summed into the vector of the plan.
