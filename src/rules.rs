//! Turns rules, a message and the set of unwell vendors into a plan with reasons.
