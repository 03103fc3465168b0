"""The password of the local Prefect server: generated once, and kept in a private file."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

import httpx

from connectors.private_files import write_private
from flows.orchestration.daemons import Daemon, DaemonError

# The folder from which Prefect loads the flows: the one above `flows`.
ROOT = Path(__file__).parents[2]
HOST, FOLDER, FILE, USER = "127.0.0.1", "prefect", "password", "admin"
API = "PREFECT_API_URL"
# Prefect's settings for the password, `USER:PASSWORD`: of the server, and of its clients.
SERVER_AUTH, CLIENT_AUTH = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
OPEN = (
    "The Prefect server at {api} runs already, and does not ask for a password. Stop it "
    "first (make "
    "stop), then start it again."
)
OTHER = (
    "The Prefect server at {api} does not take the password of {where}. End it (make stop), and "
    "start it again."
)


def api_of(port: str | int) -> str:
    """Return the address of the API of a server on this machine."""
    return f"http://{HOST}:{port}/api"


def password_file(state: Path) -> Path:
    """Return the path of the password file: one line, which the server's page asks for as it is."""
    return state / FOLDER / FILE


def password(state: Path, environment: Mapping[str, str]) -> str:
    """Return the password from the environment, or else from the file; blank if there is none."""
    file = password_file(state)
    return environment.get(SERVER_AUTH) or (file.read_text().strip() if file.exists() else "")


def make_password(state: Path, environment: Mapping[str, str]) -> None:
    """Generate a password and keep it, unless there is one."""
    if not password(state, environment):
        write_private(password_file(state), f"{USER}:{secrets.token_urlsafe(24)}\n")


def password_settings(state: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return both of Prefect's settings for the password; empty if there is none yet."""
    value = password(state, environment)
    return {SERVER_AUTH: value, CLIENT_AUTH: value} if value else {}


def authorization_header(password: str) -> dict[str, str]:
    """Return the header that authorizes a request; empty without a password."""
    if not password:
        return {}
    return {"authorization": f"Basic {base64.b64encode(password.encode()).decode()}"}


def check_password(api: str, state: Path, environment: Mapping[str, str]) -> None:
    """Raise `DaemonError` if a server asks for no password, or does not accept ours."""
    if httpx.get(f"{api}/version").is_success:
        raise DaemonError(OPEN.format(api=api))
    if not httpx.get(
        f"{api}/version", headers=authorization_header(password(state, environment))
    ).is_success:
        raise DaemonError(OTHER.format(api=api, where=password_location(state, environment)))


def password_location(state: Path, environment: Mapping[str, str]) -> str:
    """Return where a person finds the password: the name of a variable, or a path."""
    return f"${SERVER_AUTH}" if environment.get(SERVER_AUTH) else str(password_file(state))


def local_server_settings(state: Path, named: str) -> dict[str, str]:
    """Return Prefect's settings for the server that runs for a state folder.

    They are empty if no server runs, or if `named` is the address of another server: the password
    goes to no other server. A blank `named` means any.
    """
    server = Daemon("server", state / FOLDER, {})
    if not server.runs:
        return {}
    api = api_of(port_of(server))
    if named.rstrip("/").replace("//localhost:", f"//{HOST}:") not in ("", api):
        return {}
    return {API: api, CLIENT_AUTH: password(state, {})}


def port_of(server: Daemon) -> str:
    """Return the port on which a server of ours listens."""
    return server.command.rpartition("--port ")[2].split()[0]
