"""Sends a message to an address that apprise takes: mailto://, slack://, json:// and many others."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from flows.notices.addressees import Addressee

APP = "roster"


def deliver(title: str, body: str, addressee: Addressee) -> str:
    """Send a message; blank if it was taken, else a sentence that says why it was not, without the address."""
    with _silent():
        from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

        # One after the other in this thread, whatever loop it may have; nowhere else than the address says; nothing on the disk.
        asset = AppriseAsset(app_id=APP, app_desc=APP, app_url="", async_mode=False, http_redirects=False,
                             storage_mode="memory")  # fmt: skip
        service = Apprise(asset=asset)
        if not service.add(addressee.address.value):
            return f"What {addressee.name} holds is no address that apprise knows, such as mailto:// or slack://. Correct it."
        if not service.notify(body=body, title=title, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT):
            return f"The address that {addressee.name} holds did not take the message. The next run tries again."
    return ""


@contextmanager
def _silent() -> Iterator[None]:
    """Keep apprise from logging meanwhile: its words have the address in them."""
    log = logging.getLogger("apprise")
    before, log.disabled = log.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before
