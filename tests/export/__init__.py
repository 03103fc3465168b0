"""Tests of the export of rosters as bulk zips."""
