"""Notifications about runs, each cause once."""
