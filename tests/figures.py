"""Figures of the structure of a checkout: `python -m tests.figures [ROOT] [--json]`.

ROOT is a checkout of any age, by default this one. It is parsed, never imported. Its own
interpreter (ROOT/.venv), or else this one, starts one real `roster sync` of the sample
`oneroster_1_2` into a sandbox. The sync ends with the first byte that it sends.
`tests/test_house.py` has the limits.

circle        Modules of one package that import each other, directly or through others. All imports
              count: in functions, below `if TYPE_CHECKING`, and `import_module("...")`. The import
              `from package import name` counts for `package.name` if that is a module, else for
              `package`.
frame         A call on the stack whose code is in one of the packages. In a task, the stack of its
              creator continues below: the coroutines that wait there, and so on down to `main`.
path of job   The walk of a reader who starts at the pipeline function and follows `job` and its
              parts (`job.target`, a variable or a parameter that is one of them) into each function
              and class of the packages that is called with them by its name: depth first, in the
              order of the lines, each once. Methods are not followed.
stop          A function or class of that walk.
jump back up  A stop in a module that the walk had left before: the reader opens a file again.
participle    The last word of the name of a module or folder ends with -ing or -ed or is one of
              IRREGULAR, and is not one of NOUNS.
"""

from __future__ import annotations

import argparse
import ast
import gc
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PACKAGES = ("flows", "connectors", "transforms")
HERE = Path(__file__).parent.parent
# The module and the function that have the steps of a run, newest first.
PIPELINES = (("flows.pipeline", "run_pipeline"), ("flows.line", "straight_line"))

IRREGULAR = {
    "built", "done", "filled", "forgotten", "found", "given", "gone", "heard", "held", "hidden", "kept", "known", "left",
    "lost", "made", "seen", "sent", "shown", "spelt", "spoken", "told", "taken", "written",
}  # fmt: skip
# Words of the field, and words that only look like participles.
NOUNS = {
    "binding",
    "feed",
    "mapping",
    "onboarding",
    "rostering",
    "seed",
    "spelling",
    "string",
    "thing",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[str, str]  # a module, and the name of a function or class in it


@dataclass(frozen=True)
class Module:
    """One file of a package."""

    name: str  # with dots: flows.cli.options; a package's __init__ has the package's name
    path: Path
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the module."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[tuple[str, str, str]]:
        """Each import, at any level, as (module, name or blank, name here)."""
        return list(_imports(self.nodes))

    @cached_property
    def functions(self) -> list[Function]:
        """All functions, with methods and nested functions."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """The classes at the top of the module."""
        return [node for node in self.tree.body if isinstance(node, ast.ClassDef)]

    @cached_property
    def definitions(self) -> dict[str, Function | ast.ClassDef]:
        """The functions and classes at the top of the module."""
        return {
            node.name: node for node in self.tree.body if isinstance(node, Function | ast.ClassDef)
        }


@dataclass(frozen=True)
class Tree:
    """The modules of the packages of a checkout."""

    root: Path
    modules: dict[str, Module] = field(repr=False)

    def of(self, package: str) -> list[Module]:
        """Return the modules of one package."""
        return [module for name, module in self.modules.items() if name.split(".")[0] == package]

    @cached_property
    def graph(self) -> dict[str, set[str]]:
        """The modules that each module imports."""
        return {name: self._imported(module) - {name} for name, module in self.modules.items()}

    def _imported(self, module: Module) -> set[str]:
        named = (
            f"{source}.{name}" if f"{source}.{name}" in self.modules else source
            for source, name, _ in module.imports
        )
        return {name for name in named if name in self.modules}

    def resolve(self, module: str, name: str) -> Place | None:
        """Return where the function or class is defined to which a name in a module refers."""
        for _ in range(10):
            if self.definition((module, name)):
                return module, name
            imports = self.modules[module].imports if module in self.modules else []
            source = next(
                ((source, was) for source, was, alias in imports if was and alias == name), None
            )
            if source is None:
                return None
            module, name = source
        return None

    def definition(self, place: Place) -> Function | ast.ClassDef | None:
        """Return the function or class of that name at the top of a module."""
        module = self.modules.get(place[0])
        return module.definitions.get(place[1]) if module else None


def read_tree(root: Path = HERE) -> Tree:
    """Parse each module of the packages once."""
    modules = {}
    gc.disable()  # garbage collection of the nodes would take three times as long as parsing
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            modules[name] = Module(name, path, text, ast.parse(text))
    gc.enable()
    return Tree(root, modules)


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((one.name, "", one.asname or one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, one.name, one.asname or one.name) for one in node.names)
        elif (
            isinstance(node, ast.Call)
            and _called(node) == "import_module"
            and isinstance(node.args[0], ast.Constant)
        ):
            yield str(node.args[0].value), "", ""


def _called(call: ast.Call) -> str:
    """Return the last part of the name of the called function."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def import_circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components of two or more modules, largest first (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    circles: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        open_.append(name)
        for other in graph[name]:
            if other not in order:
                visit(other)
            if other in open_:
                low[name] = min(low[name], low[other])
        if low[name] == order[name]:
            at = open_.index(name)
            circles.append(set(open_[at:]))
            del open_[at:]

    for name in graph:
        if name not in order:
            visit(name)
    return sorted((circle for circle in circles if len(circle) > 1), key=len, reverse=True)


def circles_in(tree: Tree, package: str) -> list[set[str]]:
    """Return the import circles inside a package."""
    inside = {module.name for module in tree.of(package)}
    return import_circles({name: tree.graph[name] & inside for name in inside})


def imports_in_functions(tree: Tree) -> list[str]:
    """Return the location of each import statement inside a function."""
    return [
        f"{module.name}:{node.lineno}"
        for module in tree.modules.values()
        for node in {
            id(node): node
            for function in module.functions
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }.values()
    ]


def public_classes(tree: Tree) -> Counter[str]:
    """Count the public classes at the top of modules by name."""
    return Counter(
        one.name
        for module in tree.modules.values()
        for one in module.classes
        if not one.name.startswith("_")
    )


def functions_called(tree: Tree, *names: str) -> list[str]:
    """Return the functions and methods that have one of these names."""
    return [
        f"{module.name}.{function.name}"
        for module in tree.modules.values()
        for function in module.functions
        if function.name in names
    ]


def participles(tree: Tree) -> list[str]:
    """Return the modules and folders whose name is a participle or a gerund."""
    return [name for name in tree.modules if _is_participle(name.split(".")[-1].split("_")[-1])]


def _is_participle(word: str) -> bool:
    return (word in IRREGULAR or word.endswith(("ing", "ed"))) and word not in NOUNS


def format_switches(text: str) -> list[int]:
    """Return the lines that switch the formatter off or on."""
    return [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"# fmt: (skip|off|on)\b", line)
    ]


def function_lengths(tree: Tree) -> list[int]:
    """Return the number of lines of each function, from `def` to its last line."""
    return [
        (function.end_lineno or 0) - function.lineno + 1
        for module in tree.modules.values()
        for function in module.functions
    ]


def pipeline_of(tree: Tree) -> Place:
    """Return the module and the name of the function that has the steps of a run."""
    for module, name in PIPELINES:
        if tree.resolve(module, name) == (module, name):
            return module, name
    raise LookupError(f"none of {PIPELINES} is in {tree.root}")


def job_path(tree: Tree) -> list[Place]:
    """Return the stops of `job` in the order of the walk (see the top of this file)."""
    stops: list[Place] = []

    def walk(at: Place, names: frozenset[str]) -> None:
        stops.append(at)
        function = tree.definition(at)
        if not isinstance(function, Function):
            return
        for name, given in _given_on(function, names | {"job"}):
            target = tree.resolve(at[0], name)
            if target and target not in stops:
                walk(target, _parameters(tree.definition(target), given))

    walk(pipeline_of(tree), frozenset())
    return stops


def _given_on(function: Function, names: frozenset[str]) -> list[tuple[str, list[int | str]]]:
    """Return each name that is called with the job or a part of it, and those arguments."""
    names |= {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _is_of(node.value, names)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: list[tuple[str, list[int | str]]] = []
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        words: list[int | str] = [
            word.arg for word in call.keywords if word.arg and _is_of(word.value, names)
        ]
        # `watch.stage("load", send, job)` calls `send` with the arguments after it.
        for at, called in enumerate([call.func, *call.args]):
            places = [place for place, one in enumerate(call.args[at:]) if _is_of(one, names)]
            if isinstance(called, ast.Name) and (places or words):
                found.append((called.id, [*places, *words]))
    return found


def _is_of(node: ast.expr, names: frozenset[str]) -> bool:
    while isinstance(node, ast.Attribute):
        if node.attr == "job":
            return True
        node = node.value
    return isinstance(node, ast.Name) and node.id in names


def _parameters(
    definition: Function | ast.ClassDef | None, given: list[int | str]
) -> frozenset[str]:
    if not isinstance(definition, Function):
        return frozenset()
    names = [one.arg for one in (*definition.args.posonlyargs, *definition.args.args)]
    return frozenset(
        one if isinstance(one, str) else names[one]
        for one in given
        if isinstance(one, str) or one < len(names)
    )


def jumps_back_up(path: list[Place]) -> int:
    """Count the stops in a module that the walk had left before."""
    modules = [module for module, _ in path]
    return sum(
        one != before and one in modules[:at]
        for at, (before, one) in enumerate(itertools.pairwise(modules))
    )


def job_fields(tree: Tree) -> int:
    """Count the fields of `Job`."""
    job = next(one for one in tree.modules["flows.job"].classes if one.name == "Job")
    return len(fields_of(job))


def users_of(tree: Tree, place: Place) -> list[str]:
    """Return the functions that call a function, or pass it on to be called."""
    found = set()
    for module in tree.modules.values():
        if tree.resolve(module.name, place[1]) == place:
            for name, function in module.definitions.items():
                if any(
                    isinstance(node, ast.Name) and node.id == place[1]
                    for node in ast.walk(function)
                ):
                    found.add(f"{module.name}.{name}")
    return sorted(found)


def fields_of(one: ast.ClassDef) -> list[str]:
    """Return the names of the fields of a dataclass."""
    return [
        node.target.id
        for node in one.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


# Runs in an interpreter of its own, so that the stack starts where a person's command does. Prints
# one line of JSON for each event: the frames as [module, function], outermost first.
PROBE = r'''
import json, os, socket, sys
root, drop, state = sys.argv[1:4]
sys.path.insert(0, root)
os.chdir(root)

def named(codes):
    found = []
    for code in codes:
        path = os.path.relpath(code.co_filename, root)
        if path.split(os.sep)[0] in ("flows", "connectors", "transforms"):
            found.append([path[:-3].replace(os.sep, ".").removesuffix(".__init__"), code.co_name])
    return found

def stack(frame):
    codes = []
    while frame is not None:
        codes.append(frame.f_code)
        frame = frame.f_back
    return codes[::-1]

def waiting(coroutine):
    codes = []
    while getattr(coroutine, "cr_code", None):
        codes.append(coroutine.cr_code)
        coroutine = coroutine.cr_await
    return codes

def frames(frame):
    """Give the frames of the thread; above its loop, those of the tasks that led to this one."""
    codes = stack(frame)
    asyncio = sys.modules.get("asyncio")
    task = asyncio and asyncio._get_running_loop() and asyncio.current_task()
    if not task:
        return named(codes)
    tasks = []
    while task := creators.get(task):
        tasks = waiting(task.get_coro()) + tasks
    loop = max(at for at, code in enumerate(codes) if code.co_name == "run_forever")
    return named(codes[:loop] + tasks + codes[loop:])

def remember_creators():
    import asyncio
    create = asyncio.BaseEventLoop.create_task
    def creating(self, *given, **words):
        task = create(self, *given, **words)
        creators[task] = asyncio.current_task(self)
        return task
    asyncio.BaseEventLoop.create_task = creating

def note(event, frame):
    os.write(real, (json.dumps([event, frames(frame)]) + "\n").encode())

def opened(event, arguments):
    if event == "open" and not done and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if path.startswith(drop + os.sep) and os.path.isfile(path):
            done.append(path)
            note("read", sys._getframe(1))

def written(name):
    send = getattr(socket.socket, name)
    def sending(self, data, *more):
        first = bytes(data[0] if name == "sendmsg" else data)[:8].split(b" ")[0]
        if first in (b"GET", b"POST", b"PUT", b"DELETE", b"PATCH"):
            note("sent", sys._getframe(1))
            os._exit(0)
        return send(self, data, *more)
    setattr(socket.socket, name, sending)

done = []
creators = {}
real = os.dup(1)
os.dup2(2, 1)
sys.addaudithook(opened)
remember_creators()
for name in ("send", "sendall", "sendmsg"):
    written(name)
sys.argv = ["roster", "sync", drop, "--state", state]
from flows.cli import main
main()
'''
Frames = list[tuple[str, str]]


@dataclass(frozen=True)
class Stacks:
    """The project's frames at two points of a sync, as (module, function), outermost first."""

    read: Frames  # when the first file of the drop is opened to be read
    sent: Frames  # when the first request is written to the socket

    def to_pipeline(self, pipeline: str) -> int:
        """Count the frames from the command line's `main` to the pipeline function, with both."""
        return next(at for at, (_, function) in enumerate(self.read, 1) if function == pipeline)


def watch_sync(root: Path = HERE) -> Stacks:
    """Start a sync of the sample, and end it when it sends its first byte."""
    own = root / ".venv" / "bin" / "python"
    drop = (root / "sample_data" / "oneroster_1_2").resolve()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TIMEBACK_")
    }
    with tempfile.TemporaryDirectory() as state:
        program = [
            str(own if own.exists() else sys.executable),
            "-c",
            PROBE,
            str(root.resolve()),
            str(drop),
            state,
        ]
        run = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)
    events = dict(json.loads(line) for line in run.stdout.splitlines())
    if set(events) != {"read", "sent"}:
        raise RuntimeError(
            f"the sync in {root} came to no first byte: {sorted(events)}\n{run.stderr}"
        )
    return Stacks(
        *([(module, function) for module, function in events[name]] for name in ("read", "sent"))
    )


def figures(root: Path = HERE) -> dict[str, int | float]:
    """Count everything."""
    tree = read_tree(root)
    stacks = watch_sync(root)
    path = job_path(tree)
    lines = [line for module in tree.modules.values() for line in module.text.splitlines()]
    switches = sum(len(format_switches(module.text)) for module in tree.modules.values())
    in_tests = sum(
        len(format_switches(path.read_text("utf-8"))) for path in (root / "tests").rglob("*.py")
    )
    found: dict[str, int | float] = {}
    for package in PACKAGES:
        circles = circles_in(tree, package)
        found[f"import circles in {package}"] = len(circles)
        found[f"modules in the largest circle of {package}"] = max(map(len, circles), default=0)
    found |= {
        "modules": len(tree.modules),
        "lines": len(lines),
        "modules per 1,000 lines": round(1000 * len(tree.modules) / len(lines), 1),
        "functions": len(function_lengths(tree)),
        "lines of a function, median": statistics.median(function_lengths(tree)),
        "frames at the first byte read": len(stacks.read),
        "frames from the command to the pipeline": stacks.to_pipeline(pipeline_of(tree)[1]),
        "frames at the first byte sent": len(stacks.sent),
        "fields of Job": job_fields(tree),
        "path of job: stops": len(path),
        "path of job: modules": len({module for module, _ in path}),
        "path of job: jumps back up": jumps_back_up(path),
        "public classes that share a name": _shared(public_classes(tree)),
        "public functions called told or show": len(functions_called(tree, "told", "show")),
        "modules named by a participle": len(participles(tree)),
        "imports in functions": len(imports_in_functions(tree)),
        "modules with imports in functions": len(
            {place.split(":")[0] for place in imports_in_functions(tree)}
        ),
        "formatter switched off": switches,
        "formatter switched off, with tests": switches + in_tests,
        "lines over 100 characters": sum(len(line) > 100 for line in lines),
        "lines over 120 characters": sum(len(line) > 120 for line in lines),
        "words of the README": len((root / "README.md").read_text("utf-8").split()),
    }
    return found


def _shared(names: Counter[str]) -> int:
    return sum(count for count in names.values() if count > 1)


def main() -> None:
    """Print the figures as a table, or as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.figures", description="Count the structure of a checkout."
    )
    parser.add_argument(
        "root", nargs="?", type=Path, default=HERE, help="the checkout (default: this one)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    found = figures(given.root.resolve())
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    width = max(map(len, found))
    sys.stdout.writelines(f"{name:{width}}  {count:>8,}\n" for name, count in found.items())


if __name__ == "__main__":
    main()
