"""What the nearest peers do wrong, as tests: each is named after its probe."""
