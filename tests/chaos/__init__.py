"""Everything that can go wrong in a night, at once: a bad network, a bad target, a killed run."""
