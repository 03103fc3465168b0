"""Real servers on loopback from which drops are fetched: OpenSSH's, and a store that speaks S3."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or ""
KEYGEN = shutil.which("ssh-keygen") or ""
CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
Subsystem sftp internal-sftp
"""
PATIENCE = 10.0


@dataclass(frozen=True)
class SshServer:
    """An OpenSSH server that serves this machine's files to whoever has its user's key."""

    folder: Path
    port: int

    def address(self, path: Path) -> str:
        """The address of a file or folder of this machine."""
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{path}"

    @property
    def pickup(self) -> str:
        """What a feed file says, to know it and to be let in."""
        return f'\n[pickup]\nknown_hosts = "{self.folder}/known_hosts"\nkey_file = "{self.folder}/user"\n'

    def known_as(self, key: str) -> None:
        """Write a host key into the file of known hosts."""
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Serve until the body is over; its own host key is known."""
    folder.mkdir()
    if os.geteuid() == 0:  # where the server locks itself in until somebody is let in
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host", "user", "other"):
        subprocess.run(
            [KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    port = free_port()
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    try:
        wait_for(port, process, folder / "log")
        server = SshServer(folder, port)
        server.known_as((folder / "host.pub").read_text())
        yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the SSH server does not answer: {log.read_text()}")
