"""What is said of an address that cannot be read, without what is secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

# Which extra of this project brings what opens an address.
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "sftp": "sftp", "ssh": "sftp"}  # fmt: skip
ALSO_OPEN = (OSError, ValueError)


class FetchError(OSError):
    """An address that cannot be read, told in a sentence with the next step. It may pass, as a disk's errors may."""


class AddressError(FetchError, ValueError):
    """An address that cannot be meant, whatever is there: it has to be written otherwise."""


@contextmanager
def told(address: str) -> Iterator[None]:
    """Tell any fault of a file system, each of which has its own, with the address but for what is secret in it."""
    try:
        yield
    except ImportError as error:
        raise FetchError(f"{shown(address)} cannot be read: {_lacking(address, error)}") from None
    except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
        cause = error.__cause__ or error  # over HTTP, whatever it is, it is told as a file that is not there
        if isinstance(cause, FetchError):
            raise cause from None
        kind = f"{type(cause).__name__}: {cause}" if isinstance(cause, ALSO_OPEN) else type(cause).__name__
        raise FetchError(
            f"{shown(address)} cannot be read ({kind.replace(address, shown(address))}). Check the address, and the credentials in the environment."
        ) from None


def shown(address: str) -> str:
    """An address as it may be shown: without a password, and without a query, in which some have their secrets."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    user, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{re.split('[?#]', place)[0]}"


def _lacking(address: str, error: ImportError) -> str:
    extra = EXTRAS.get(scheme_of(address))
    return (
        f"what opens it is not installed. Run, in the folder of this program: pip install '.[{extra}]'."
        if extra
        else f"{error}."
    )


def scheme_of(address: str) -> str:
    """The scheme of an address; blank for a path."""
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator else ""
