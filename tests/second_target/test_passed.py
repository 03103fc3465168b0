"""A profile is passed: nothing imports one but the sandbox, and the place where settings choose it."""

from __future__ import annotations

import ast
from pathlib import Path

import connectors.oneroster.profile as profiles
from flows.target import APIS

ROOT = Path(__file__).parents[2]
# What is true of one API; the types and the standard's own profile may be imported by all.
VALUES = {
    name for name, value in vars(profiles).items() if isinstance(value, profiles.TargetProfile)
}
ALLOWED = ("connectors/oneroster/profile.py", "connectors/oneroster/sandbox/", "flows/target.py")
TYPES = {"Collection", "TargetProfile", "View", "standard_profile"}


def imported(path: Path) -> set[str]:
    """What a module imports of the module of profiles; `*` stands for the module itself."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "connectors.oneroster.profile":
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "connectors.oneroster":
            names |= {"*" for one in node.names if one.name == "profile"}
        elif isinstance(node, ast.Import):
            names |= {"*" for one in node.names if one.name == "connectors.oneroster.profile"}
    return names


def test_no_module_imports_a_profile() -> None:
    """They are given one; so a second API is one more profile."""
    files = [
        path
        for part in ("flows", "connectors", "transforms")
        for path in (ROOT / part).rglob("*.py")
    ]
    used = {path.relative_to(ROOT).as_posix(): imported(path) for path in files}

    assert {one.name for one in APIS.values()} == {getattr(profiles, name).name for name in VALUES}
    assert {} == {
        name: got - TYPES
        for name, got in used.items()
        if got - TYPES and not name.startswith(ALLOWED)
    }
    assert ["flows/target.py"] == [
        name for name, got in used.items() if name.startswith("flows/") and got & VALUES
    ]
