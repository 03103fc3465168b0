"""Fuzzers: sample drops of every layout, damaged byte by byte and cell by cell."""
