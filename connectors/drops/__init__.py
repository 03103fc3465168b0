"""Drops: what a student information system delivers, a folder or a zip of CSV files, as text."""

from connectors.drops.read import read, read_file
from connectors.drops.zip import ZipLimits

__all__ = ["ZipLimits", "read", "read_file"]
