"""What a night may bring, all at once: a bad network, a bad target, a killed run."""
