"""Tests of the layouts of student information systems."""
