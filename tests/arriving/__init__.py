"""Drops that lie elsewhere, or are still on their way."""
