"""Masks hide what chance decides, each id behind a placeholder of its own, and nothing else."""

from __future__ import annotations

import pytest

from tests.golden.masks import Masks

DIGEST = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def masks() -> Masks:
    """Give the masks of a target on port 40123."""
    return Masks(40123)


def test_the_same_run_is_the_same_placeholder(masks: Masks) -> None:
    """Its day and time stay."""
    first, second = "20261124-020100-4f1a0b2c", "20261124-020200-00ff00ff"

    assert "20261124-020100-RUN1 20261124-020200-RUN2" == masks.over(f"{first} {second}")
    assert "state/runs/20261124-020200-RUN2/report.md" == masks.over(
        f"state/runs/{second}/report.md"
    )


def test_only_a_plan_that_is_known_is_masked(masks: Masks) -> None:
    """A telephone number may have the same form."""
    masks.learn_plan("5550001234")
    masks.learn_plan("ab12ab12ab")

    assert "PLAN2, PLAN1, 5550001235" == masks.over("ab12ab12ab, 5550001234, 5550001235")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("http://127.0.0.1:40123/ims", "http://127.0.0.1:PORT/ims"),
        ('{"seconds": 0.213, "requests": 35}', '{"seconds": SECONDS, "requests": 35}'),
        (
            "Run 20261124-020100-4f1a0b2c, 0.2 s, 35 requests",
            "Run 20261124-020100-RUN1, SECONDS s, 35 requests",
        ),
        (
            "-rw------- state/rosters/larkspur-a1-0123456789ab/x",
            "-rw------- state/rosters/larkspur-a1-FEED/x",
        ),
        (f"-rw------- state/slots/{DIGEST}/0.run", "-rw------- state/slots/TARGET/0.run"),
        (f"-rw------- state/locks/{DIGEST}.lock", "-rw------- state/locks/LOCK.lock"),
        (
            "locks | run=r | process=17 | host=vm | since=s",
            "locks | run=r | process=PROCESS | host=HOST | since=s",
        ),
    ],
)
def test_what_chance_decides_is_masked(masks: Masks, text: str, masked: str) -> None:
    """And what stands around it stays."""
    assert masked == masks.over(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:4012/ims",
        '{"requests": 35, "retries": 0}',
        "It took 0.2 s, 35 requests",
        f"-rw------- state/rosters/larkspur-FEED/users-{DIGEST}.parquet",
        f"records | fingerprint=-3810 | content={DIGEST}",
        "planned | process=17 | host=vm | since=s",
    ],
)
def test_counts_ids_and_digests_stay(masks: Masks, text: str) -> None:
    """A mask that hides one of them hides a fault."""
    assert text == masks.over(text)
