//! What only Redis can do to a gate.
