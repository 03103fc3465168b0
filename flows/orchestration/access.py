"""The password of the Prefect server of a state folder: made once, kept in a file of its owner's, and found by who needs it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

import httpx

from connectors.private_files import write_private
from flows.orchestration.daemons import Daemon, DaemonError

HOST, FOLDER, FILE, USER = "127.0.0.1", "prefect", "password", "admin"
API = "PREFECT_API_URL"
# What the server asks for, and what whoever speaks with it says: Prefect's own settings, `USER:PASSWORD`.
ASKED, SAID = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
OPEN = (
    "The Prefect server at {api} runs already, and asks nobody for a password. End it first (make "
    "stop), then start it again."
)
OTHER = (
    "The Prefect server at {api} does not take the password of {where}. End it (make stop), and "
    "start it again."
)


def api_of(port: str | int) -> str:
    """The address of the API of a server of this machine."""
    return f"http://{HOST}:{port}/api"


def password_file(state: Path) -> Path:
    """Where the password is kept: one line, which the server's page asks for as it is."""
    return state / FOLDER / FILE


def password(state: Path, environment: Mapping[str, str]) -> str:
    """The password that the environment gives the server, else the one that is kept; blank if there is none yet."""
    file = password_file(state)
    return environment.get(ASKED) or (file.read_text().strip() if file.exists() else "")


def make_password(state: Path, environment: Mapping[str, str]) -> None:
    """Make a password, unless there is one."""
    if not password(state, environment):
        write_private(password_file(state), f"{USER}:{secrets.token_urlsafe(24)}\n")


def settings(state: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Both of Prefect's settings for the password; none if there is no password yet."""
    said = password(state, environment)
    return {ASKED: said, SAID: said} if said else {}


def header(said: str) -> dict[str, str]:
    """What signs a request in."""
    return {"authorization": f"Basic {base64.b64encode(said.encode()).decode()}"} if said else {}


def check(api: str, state: Path, environment: Mapping[str, str]) -> None:
    """Raise `DaemonError` for a server that asks for no password, or for another one."""
    if httpx.get(f"{api}/version").is_success:
        raise DaemonError(OPEN.format(api=api))
    if not httpx.get(f"{api}/version", headers=header(password(state, environment))).is_success:
        raise DaemonError(OTHER.format(api=api, where=server_facts(state, environment)))


def server_facts(state: Path, environment: Mapping[str, str]) -> str:
    """Where the password is, for people."""
    return f"${ASKED}" if environment.get(ASKED) else str(password_file(state))


def here(state: Path, named: str) -> dict[str, str]:
    """How to reach the server that runs for a state folder, if that is the one at the `named` address, or none is named.

    Its password is said to no other server.
    """
    server = Daemon("server", state / FOLDER, {})
    if not server.runs:
        return {}
    api = api_of(port_of(server))
    said = {API: api, SAID: password(state, {})}
    return said if named.rstrip("/").replace("//localhost:", f"//{HOST}:") in ("", api) else {}


def port_of(server: Daemon) -> str:
    """The port at which a server of ours listens."""
    return server.command.rpartition("--port ")[2].split()[0]
