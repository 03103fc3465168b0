"""Tests read as examples; those of the laws are properties over generated rosters."""
