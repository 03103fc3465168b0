"""The mapping file (TOML) that describes a district's own layout. Problems name the line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from flows.errors import SettingsError
from transforms.layouts.layout import Layout
from transforms.mappings import line_of, read_mapping


def read_mapping_file(path: Path) -> Layout:
    """Read a mapping file. Raises `SettingsError` with one sentence for each problem in it."""
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_toml_problem(path, str(error))) from None
    except RecursionError:
        raise SettingsError(
            f"{path}: its tables lie too deep in one another. Correct that."
        ) from None
    mapping = read_mapping(document)
    if mapping.layout is not None:
        return mapping.layout
    raise SettingsError(
        *(f"{_at(path, line_of(text, problem.path))}: {problem}" for problem in mapping.problems)
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}). Name a mapping file that is there, "
            "or begin one with `roster map DROP`."
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not text in UTF-8. Save it as UTF-8.") from None


def _toml_problem(path: Path, message: str) -> str:
    """Reword a message of the TOML library: the line comes first, as in all other problems."""
    match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    what, line, column = match.groups() if match else (message, None, None)
    where = f", column {column}" if column else ""
    return (
        f"{_at(path, int(line) if line else None)}{where}: is not TOML: {what}. Correct that "
        f"line{'' if line else ', the last'}."
    )


def _at(path: Path, line: int | None) -> str:
    return f"{path}, line {line}" if line else str(path)
