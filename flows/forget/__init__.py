"""Removing a person here and in the target."""
