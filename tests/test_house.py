"""The structure of the code, as far as a program can check it.

`python -m tests.figures` prints the numbers.

A check that can be passed by making the code worse is wrong: say so, and change it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.figures import (
    HERE,
    PACKAGES,
    Module,
    Stacks,
    Tree,
    circles_in,
    fields_of,
    format_switches,
    functions_called,
    participles,
    pipeline_of,
    public_classes,
    read_tree,
    users_of,
    watch_sync,
)

# The only folders that print: a command returns its result, and they show it.
PRINTERS = ("flows.cli", "flows.reports", "flows.orchestration")
# A step as "4. check" or "4 transforms  check  -> accepted, rejects"; nine lines make a list.
STEP = r"\.? +(?:(?:flows|connectors|transforms) +)?(\S.*?)(?: *->.*)?"
STEPS = re.compile("\n".join(rf" *{number}{STEP}" for number in range(1, 10)) + "\n")


@pytest.fixture(scope="module")
def tree() -> Tree:
    """Every module, parsed once."""
    return read_tree()


@pytest.fixture(scope="module")
def stacks() -> Stacks:
    """One real sync, up to the first byte that it sends."""
    return watch_sync()


@pytest.mark.parametrize(
    "package",
    [
        "flows",
        "connectors",
        "transforms",
    ],
)
def test_no_modules_import_each_other_in_a_circle(package: str, tree: Tree) -> None:
    """Not even in functions or for types: whatever two modules share lies below both."""
    circles = [sorted(circle) for circle in circles_in(tree, package)]

    assert [] == circles


def test_a_drop_is_read_within_twelve_frames_of_the_command(stacks: Stacks) -> None:
    """Somebody who steps through a run with a debugger passes every one of them."""
    assert len(stacks.read) <= 12, stacks.read


def test_the_pipeline_is_within_eight_frames_of_the_command(stacks: Stacks, tree: Tree) -> None:
    """Between `main` and the pipeline lie only steps that a reader would ask for."""
    assert stacks.to_pipeline(pipeline_of(tree)[1]) <= 8, stacks.read


def test_every_run_is_guarded_by_the_same_function(tree: Tree) -> None:
    """However the records of a run came about."""
    users = users_of(tree, ("transforms.guard.guard", "guard"))

    assert 1 == len(users), users


def test_every_run_is_loaded_by_the_same_function(tree: Tree) -> None:
    """However the records of a run came about."""
    users = users_of(tree, ("flows.load", "load"))

    assert 1 == len(users), users


def test_the_pipeline_and_the_readme_name_the_same_nine_steps(tree: Tree) -> None:
    """The package in front of a step, and what follows its arrow, are not compared."""
    in_readme = STEPS.search((HERE / "README.md").read_text("utf-8"))

    text = tree.modules["flows.pipeline"].text
    in_pipeline = re.findall(rf"# ([1-9]){STEP}$", text, re.MULTILINE)
    assert in_readme
    assert list(zip("123456789", in_readme.groups(), strict=True)) == in_pipeline


def test_no_two_public_classes_share_a_name(tree: Tree) -> None:
    """Whoever searches for a class finds it."""
    shared = {name: count for name, count in public_classes(tree).items() if count > 1}

    assert {} == shared


def test_no_public_function_is_called_told_or_show(tree: Tree) -> None:
    """A function is named for what it does or what it returns."""
    assert [] == functions_called(tree, "told", "show")


def test_no_module_is_named_by_a_participle(tree: Tree) -> None:
    """A module is named for its subject."""
    assert [] == participles(tree)


def test_only_the_command_line_reports_and_flows_print(tree: Tree) -> None:
    """A command returns its result, which `cli` and `orchestration` show through `reports`."""
    printing = [module.name for module in tree.modules.values() if prints(module)]

    assert [] == [name for name in printing if not name.startswith(PRINTERS)]


def test_the_formatter_is_switched_off_only_in_tables(tree: Tree) -> None:
    """A table is an assignment of a literal or a call at the top of a module."""
    places = [
        f"{module.name}:{line}"
        for module in tree.modules.values()
        for line in switched_off_outside_tables(module)
    ]

    assert [] == places


def test_the_fields_of_a_dataclass_are_not_documented_in_prose(tree: Tree) -> None:
    """Each field has a line of its own, beside it or below `Attributes:`; prose may name one."""
    prose = [
        f"{module.name}.{name}"
        for module in tree.modules.values()
        for name in documented_in_prose(module)
    ]

    assert [] == prose


def test_each_package_is_looked_at(tree: Tree, stacks: Stacks) -> None:
    """The other tests would pass if they looked at nothing."""
    assert all(len(tree.of(package)) > 10 for package in PACKAGES)
    assert [("flows.cli", "main")] == stacks.read[:1] == stacks.sent[:1]


def prints(module: Module) -> bool:
    """Whether a module imports rich, or calls `print` or `echo`."""
    calls = (node.func for node in module.nodes if isinstance(node, ast.Call))
    names = {node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in calls}
    return bool(names & {"print", "echo"}) or any(
        source.split(".")[0] == "rich" for source, _, _ in module.imports
    )


def switched_off_outside_tables(module: Module) -> list[int]:
    """Return the lines that switch the formatter off, and are not the last line of a table."""
    tables = [node for node in module.tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    literals = ast.Dict | ast.List | ast.Tuple | ast.Set | ast.Call
    ends = {node.end_lineno for node in tables if isinstance(node.value, literals)}
    return [line for line in format_switches(module.text) if line not in ends]


def documented_in_prose(module: Module) -> Iterator[str]:
    """Return the dataclasses whose docstring names several fields before `Attributes:`."""
    for one in module.classes:
        if any("dataclass" in ast.unparse(decorator) for decorator in one.decorator_list):
            prose = (ast.get_docstring(one) or "").partition("Attributes:")[0]
            if len([field for field in fields_of(one) if f"`{field}`" in prose]) > 1:
                yield one.name
