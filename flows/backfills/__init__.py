"""Replaying days that are over, and rehearsing that."""
