"""lightbeam, the Ed-Fi loader, on the same server: installed from the package index into an environment of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from connectors.oneroster.profile import TIMEBACK
from tests.bench.district import write_district
from tests.bench.measuring import Cost, cost, median
from tests.bench.preparing import changes_of
from tests.bench.sending import CONCURRENCY
from transforms.changes import EntityChanges
from transforms.payload import json_records

# lightbeam warns that nothing is kept between runs without a state folder; with one, it would skip what it sent before.
SETTINGS = """\
data_dir: {data}
state_dir: {state}
edfi_api:
  base_url: {url}
  oauth_url: {url}/token
  dependencies_url: {url}/dependencies
  open_api_metadata_url: {url}/metadata
  mode: shared_instance
  client_id: bench
  client_secret: bench
connection:
  pool_size: {pool}
  verify_ssl: false
"""
NAMES = ("users", "enrollments")
HOME = "lightbeam"


def beside(url: str, folder: Path, people: int, runs: int) -> str:
    """Tell what lightbeam needs for the users and enrollments of a district, its start left out; or why that is not known."""
    program = _installed(folder)
    if program is None:
        return "could not be installed; left out"
    changes = changes_of(write_district(folder / f"drop-{people}", people))
    lines = {name: _lines(name, changes[name]) for name in NAMES}
    records = sum(map(len, lines.values()))
    whole = [_cost(program, url, lines) for _ in range(runs + 1)][1:]
    start = [
        _cost(program, url, {name: some[:1] for name, some in lines.items()}) for _ in range(runs)
    ]
    wall, cpu = (median(whole, what) - median(start, what) for what in ("wall", "cpu"))
    each = records - len(NAMES)
    return f"{each / wall:.0f} records/s, {cpu / each * 1000:.3f} ms of CPU a record, without its start of {median(start, 'wall'):.1f} s"


def _installed(folder: Path) -> Path | None:
    """Install it once, and give its program."""
    home = folder / HOME
    program = home.resolve() / "bin" / "lightbeam"
    if not program.exists():
        pip = home / "bin" / "pip"
        commands = f"{sys.executable} -m venv {home}", f"{pip} install --quiet lightbeam"
        if any(subprocess.run(command.split(), check=False).returncode for command in commands):
            shutil.rmtree(home, ignore_errors=True)
            return None
    return program


def _lines(name: str, changes: EntityChanges) -> list[str]:
    collection = TIMEBACK.collections[name]
    return [
        json.dumps({collection.wrapper: body})
        for body in json_records(collection.entity, changes.upserts)
    ]


def _cost(program: Path, url: str, lines: dict[str, list[str]]) -> Cost:
    """Send with nothing remembered."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        settings = SETTINGS.format(data=home, state=home / "state", url=url, pool=CONCURRENCY)
        (home / "lightbeam.yaml").write_text(settings)
        for entity, some in lines.items():
            (home / f"{entity}.jsonl").write_text("\n".join(some) + "\n")
        return cost([str(program), "send", "--config-file", str(home / "lightbeam.yaml")])
