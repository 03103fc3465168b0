"""What the data means: pure functions over frames, without I/O, clock or settings."""
