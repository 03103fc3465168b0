"""A second, invented API that speaks OneRoster: all that it takes is one profile."""
