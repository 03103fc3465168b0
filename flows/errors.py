"""What is wrong in what a person told the program."""

from __future__ import annotations


class SettingsError(Exception):
    """Settings or options that cannot be meant: one readable sentence for each of the `problems`."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
