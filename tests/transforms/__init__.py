"""Tests of what the data means."""
