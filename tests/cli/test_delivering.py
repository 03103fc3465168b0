"""A message goes to an address that apprise takes, from whatever thread, and nobody sees the address."""

from __future__ import annotations

import asyncio

import pytest

from flows.feeds.credentials import Secret
from flows.notify.recipients import Recipient
from flows.notify.send import send_message
from tests.receiving import receiver


def test_a_message_arrives_also_from_a_thread_that_has_a_loop() -> None:
    """A flow may run in one."""

    async def in_loop(one: Recipient) -> str:
        return send_message("larkspur: held", "One\nTwo", one)

    with receiver() as inbox:
        assert "" == asyncio.run(in_loop(Recipient("$A", Secret(inbox.address))))
        (message,) = inbox.messages

    assert ("larkspur: held", "One\nTwo", "warning") == (
        message["title"],
        message["message"],
        message["type"],
    )


@pytest.mark.parametrize("address", ["hunter2", "hunter2://here", "json://", "file:///etc/hunter2"])
def test_what_is_no_address_is_said_without_it(
    address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in the sentence nor in a log."""
    told = send_message("t", "b", Recipient("$A", Secret(address)))

    assert (
        "What $A holds is no address that apprise knows, such as mailto:// or slack://. Correct it."
        == told
    )
    assert "" == caplog.text + "".join(capfd.readouterr())


def test_nobody_there_is_said_without_the_address(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The next run tries again."""
    with receiver() as inbox:
        gone = inbox.address
    told = send_message("t", "b", Recipient("$A", Secret(gone)))

    assert "The address that $A holds did not take the message. The next run tries again." == told
    assert "" == caplog.text + "".join(capfd.readouterr())
