"""Checks before a first load: `roster preflight`, and `roster probe` for staging targets."""
