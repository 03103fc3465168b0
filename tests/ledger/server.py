"""A PostgreSQL server of its own for a session of tests: in a temporary folder, on a free port of this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

USER, PASSWORD = "roster", "not-a-secret-anywhere"
# The order of ids must not be that of a language. Data of tests need not survive a power loss.
CLUSTER = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=icu",
    "--icu-locale=en-US",
    "--no-sync",
)

# However the tests end, also by a kill: their end of the pipe is closed then, and the server stopped at once.
WHILE_TESTS_RUN = (
    '"$1/pg_ctl" -D "$2" -o "$3" start; read -r _; "$1/pg_ctl" -D "$2" -m immediate stop'
)


@dataclass(frozen=True)
class Server:
    """A running server; `programs` is where its programs are, `data` where its data are."""

    programs: Path
    data: Path
    port: int
    numbers: Iterator[int]

    def address(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def schema(self) -> str:
        """Make an empty schema, which takes less than a database, and give its address."""
        name = f"ledger_{next(self.numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.address()}?options=-csearch_path%3D{name}"

    def new(self) -> str:
        """Make an empty database, and give its address."""
        name = f"ledger_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.address(name)

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run a statement on a database, as its owner."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def runs(self) -> bool:
        """Whether it is running."""
        return (self.data / "postmaster.pid").exists()

    def stop(self) -> None:
        """Stop it, and close its connections."""
        self._control("stop", "-m", "fast")

    def start(self) -> None:
        """Start it again."""
        self._control("start", "-o", _options(self))

    def _control(self, *words: str) -> None:
        subprocess.run(
            (self.programs / "pg_ctl", "-D", self.data, "-w", *words),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **_as_another(),
        )

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + 60
        while True:
            try:
                return self.run("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


def programs() -> Path | None:
    """Where the server's programs are; Debian keeps them off the path, by version."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name)
    )
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def running(where: Path) -> Iterator[Server]:
    """Make a cluster and run it."""
    # A path to a socket may be 100 bytes long, and the server's user has to get there: no folder of pytest's.
    with tempfile.TemporaryDirectory(prefix="roster-ledger-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if account := _account():
            for path in (folder, folder / "password"):
                os.chown(path, account.pw_uid, account.pw_gid)
        server = Server(where, folder / "data", _free_port(), count())
        made = (
            where / "initdb",
            "-D",
            server.data,
            f"--username={USER}",
            f"--pwfile={folder / 'password'}",
            *CLUSTER,
        )
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/", **_as_another())
        with subprocess.Popen(
            _kept(server),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **_as_another(),
        ):
            server.wait()
            yield server


def _kept(server: Server) -> list[str]:
    words = (str(server.programs), str(server.data), _options(server))
    return ["sh", "-c", WHILE_TESTS_RUN, "sh", *words]


def _options(server: Server) -> str:
    return f"-F -c listen_addresses=127.0.0.1 -p {server.port} -k {server.data}"


def _as_another() -> dict[str, Any]:
    account = _account()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _account() -> pwd.struct_passwd | None:
    """Who runs the server instead of root, who may not."""
    if os.geteuid():
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
