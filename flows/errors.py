"""The error of invalid settings and options. This module imports nothing that takes time."""

from __future__ import annotations


class SettingsError(Exception):
    """Invalid settings or options. `problems` has one readable sentence for each problem."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
