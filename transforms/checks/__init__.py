"""Step 4 of the straight line: what of a roster is accepted, and why the rest is not."""

from transforms.checks.cells import prepare
from transforms.checks.check import Checked, check

__all__ = ["Checked", "check", "prepare"]
