"""Faults of exports: what a student information system, or somebody with a spreadsheet, does wrong on one night."""
