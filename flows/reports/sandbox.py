"""The output of `roster sandbox`: the variables with which other commands use it."""

from __future__ import annotations

from flows.send import CLIENT


def print_sandbox(url: str) -> None:
    """Print how to use a sandbox that has just started at `url`."""
    print(
        f"Serving OneRoster v1.2 at {url}/ims/oneroster/ until you press Ctrl-C. In another "
        "shell:\n"
    )
    print(f"export TIMEBACK_API_URL={url}")
    print(f"export TIMEBACK_TOKEN_URL={url}/oauth2/token")
    print(f"export TIMEBACK_CLIENT_ID={CLIENT}")
    print(f"export TIMEBACK_CLIENT_SECRET={CLIENT}", flush=True)
