"""Step 4 of the pipeline: which records of a roster are accepted, and why the others are not."""

from transforms.checks.check import Checked, check

__all__ = ["Checked", "check"]
