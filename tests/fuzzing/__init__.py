"""Fuzzers: sample drops of every layout, damaged byte by byte and cell by cell. `ROSTER_FUZZ=20` looks twenty times as long."""
