"""The table of false alarms: each drop has exactly the findings that the page lists, which were read one by one.

A new alarm in any of them fails here until somebody has judged it by the rules of the page.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from connectors.oneroster.profile import TIMEBACK
from tests.layouts.normalizing import normalized
from transforms.checks import check
from transforms.findings import Findings, merge_findings
from transforms.refuse import refusing_findings
from transforms.rules import CONSEQUENCES, RULES
from transforms.target_values import map_to_target
from transforms.target_vocabulary import feed_vocabulary

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/false_alarms.md").read_text(encoding="utf-8")
LONGSIGHT = "oneroster-1.2-longsight/valid"
# The real drops of others, by their names on the page, and where they are.
REAL = {
    "Canvas, generated": "canvas",
    "OneRoster 1.1, generated": "oneroster-1.1-district",
    "OneRoster 1.1, empty": "empty-export",
    "School Data Sync V1, British": "sds/SDS UK/25 Users",
    "School Data Sync V1": "sds/SDS v1/100 Users",
    "School Data Sync V1, fewest columns": "sds/SDS v1/Min Required Attributes",
    "School Data Sync V1, other headers": "sds-v1-other-headers",
    "School Data Sync V2": "sds/SDS v2",
    "School Data Sync V2.1": "sds/SDS v2.1",
    "OneRoster 1.2, full, bulk": f"{LONGSIGHT}/full-bulk-package.zip",
    "OneRoster 1.2, full, delta": f"{LONGSIGHT}/full-delta-package.zip",
    "OneRoster 1.2, grade book, bulk": f"{LONGSIGHT}/gradebook-bulk-package.zip",
    "OneRoster 1.2, grade book, delta": f"{LONGSIGHT}/gradebook-delta-package.zip",
    "OneRoster 1.2, manifest only": f"{LONGSIGHT}/manifest-only-package.zip",
    "OneRoster 1.2, smallest": f"{LONGSIGHT}/minimal-bulk-rostering.zip",
    "OneRoster 1.2, resources, bulk": f"{LONGSIGHT}/resources-bulk-package.zip",
    "OneRoster 1.2, resources, delta": f"{LONGSIGHT}/resources-delta-package.zip",
    "OneRoster 1.2, rostering, bulk": f"{LONGSIGHT}/rostering-bulk-package.zip",
    "OneRoster 1.2, rostering, delta": f"{LONGSIGHT}/rostering-delta-package.zip",
}
ROW = re.compile(
    r"^\| (?P<drop>[^|]+) \| (?P<numbers>(?:[\d,]+ \([\d,]+\) \| ){4})(?P<now>[^|]*)\|$"
)
NUMBERS = re.compile(r"([\d,]+) \(([\d,]+)\)")
LISTED = re.compile(r"`(\w+)` ([\d,]+)")
TOTAL = "**All**"


def number(text: str) -> int:
    """Read a number as the page writes it."""
    return int(text.replace(",", ""))


LINES = [found for line in TEXT.splitlines() if (found := ROW.match(line))]
LISTS = {
    line["drop"]: {rule: number(count) for rule, count in LISTED.findall(line["now"])}
    for line in LINES
    if line["drop"] != TOTAL
}
PAIRS = {
    line["drop"]: [(number(few), number(many)) for few, many in NUMBERS.findall(line["numbers"])]
    for line in LINES
}


def alarms(drop: Path) -> Counter[str]:
    """Count what a check reports about a drop, by rule, without notes: in no feed, on the first night."""
    roster = normalized(drop)
    checked = check(roster, {})
    found = [checked.findings]
    if not refusing_findings(checked.findings, strict=False).height:
        profile = TIMEBACK
        carried = map_to_target(
            checked.standing,
            feed_vocabulary(profile.vocabulary),
            {},
            profile.collections,
            None,
            roster.spelt,
        )
        found.append(carried.findings)
    return counted(merge_findings(found))


def counted(findings: Findings) -> Counter[str]:
    """Count findings by rule, without notes."""
    told = Counter(findings.errors["rule"])
    for notice in findings.notices:
        if RULES[notice.rule].severity != "note":
            told[notice.rule] += notice.count
    return told


@pytest.mark.parametrize("drop", [one for one in LISTS if one not in REAL])
def test_a_drop_of_ours_has_the_alarms_of_its_line(drop: str) -> None:
    """Samples and raw exports."""
    assert LISTS[drop] == alarms(ROOT / drop)


@pytest.mark.parametrize("drop", REAL)
def test_a_real_drop_has_the_alarms_of_its_line(drop: str, real_drops: Path) -> None:
    """What others have written."""
    assert LISTS[drop] == alarms(real_drops / REAL[drop])


def test_every_drop_has_its_line() -> None:
    """Each sample in a layout of ours, and each raw export."""
    samples = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sample_data").iterdir()
        if path.is_dir() and path.name != "own_layout"
    }
    raw = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/raw/*/export")}

    assert {*samples, *raw, *REAL} == LISTS.keys()


def test_the_numbers_of_the_page_are_those_of_its_lists() -> None:
    """Findings (and rows) now are those listed, without what follows from others; the last line adds up."""
    total = PAIRS.pop(TOTAL)

    assert {
        drop: (
            sum(rule not in CONSEQUENCES for rule in listed),
            sum(count for rule, count in listed.items() if rule not in CONSEQUENCES),
        )
        for drop, listed in LISTS.items()
    } == {drop: pairs[2] for drop, pairs in PAIRS.items()}
    assert total == [
        tuple(sum(pair[side] for pair in column) for side in (0, 1))
        for column in zip(*PAIRS.values(), strict=True)
    ]
    few, many = total[3]
    assert few < 0.02 * total[2][0]
    assert many < 0.02 * total[2][1]
