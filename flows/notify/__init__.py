"""Telling people what a run came to, each cause once."""
