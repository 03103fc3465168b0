"""Step 4 of the straight line: what of a roster is accepted, and why the rest is not."""

from transforms.checks.check import Checked, check
from transforms.checks.table_schema import prepare

__all__ = ["Checked", "check", "prepare"]
