"""Drops: what a student information system delivers, a folder or a zip of CSV files, read as text."""

from connectors.drops.archive import Limits
from connectors.drops.reading import read, read_file

__all__ = ["Limits", "read", "read_file"]
