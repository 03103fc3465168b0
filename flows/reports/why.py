"""The report of `roster why`: lines that fit a narrow terminal, and a JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from flows.plans import ACTION_WORDS
from flows.why.explain import WhyResult, conclusion
from flows.why.story import Finding, InLedger, InRoster, InTarget, LastRun, Story
from transforms.payload import Json
from transforms.rules import RULES

INDENT = 2
ROSTER_STATES = {
    "accepted": "accepted in run {run}",
    "refused": "its row was rejected in run {run}",
    "withheld": "in the drop of run {run}, and not sent to this target",
    "absent": "not in the roster of run {run}",
}
LEDGER_STATES = {
    "active": "in the target",
    "kept": "left in place (missing from the drop)",
    "disabled": "disabled in the target (missing from the drop)",
    "ended": "ended in the target (missing from the drop)",
    "deleted": "deleted in the target",
}
SAME = {True: ", as the roster says it", False: ", with other values than the roster has", None: ""}
TARGET_STATES = {"there": "there", "deleted": "there, as deleted", "absent": "not there"}


def print_why(console: Console, result: WhyResult) -> None:
    """Print the stories of a record, each with its conclusion at the end."""
    for story in result.stories:
        console.print(
            Text(
                f"{story.entity} {story.sourced_id}, feed {story.key.feed} into {story.key.target}",
                style="bold",
            )
        )
        for line, depth in _lines(story):
            console.print(Padding.indent(Text(line), depth * INDENT))
        console.print(Text(conclusion(story)), soft_wrap=True)


def _lines(story: Story) -> Iterator[tuple[str, int]]:
    yield f"Roster: {roster_words(story.roster)}", 1
    for name, value in (story.roster.body if story.roster else {}).items():
        if name not in ("sourcedId", "status"):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"{name}: {text}", 2
    yield f"Findings: {_findings(story.last)}", 1
    for finding in story.last.findings:
        yield finding_words(finding), 2
    if story.last.trouble:
        yield f"Last run: {story.last.trouble}", 1
    yield f"Ledger: {ledger_words(story.ledger, story.is_same)}", 1
    yield f"Target: {target_words(story.target)}", 1
    if story.waiting:
        yield (
            (
                f"Plan {story.waiting.plan.id}: to be {ACTION_WORDS[story.waiting.action]}. "
                f"{story.waiting.sentence}"
            ),
            1,
        )


def roster_words(roster: InRoster | None) -> str:
    """Return the state of a record in the last roster."""
    return ROSTER_STATES[roster.standing].format(run=roster.run) if roster else "none is kept"


def _findings(last: LastRun) -> str:
    if not last.run:
        return "no run has judged it"
    return f"{len(last.findings) or 'none'} in run {last.run}"


def finding_words(finding: Finding) -> str:
    """Return where an error is, what it means, the value, and how to fix it."""
    rule = RULES.get(finding.rule)
    where = " ".join(
        part
        for part in (finding.file, f"row {finding.row}" if finding.row else "", finding.column)
        if part
    )
    value = f" ({finding.value})" if finding.value else ""
    says, fix = (rule.says, rule.fix) if rule else (finding.rule, "")
    return f"{where}: {says}{value}. {fix}".rstrip()


def ledger_words(ledger: InLedger | None, is_same: bool | None) -> str:
    """Return what the target has acknowledged."""
    if ledger is None:
        return "does not know it"
    ends = f", until {ledger.ends}" if ledger.ends else ""
    return f"{LEDGER_STATES[ledger.status]}{ends} (run {ledger.run}){SAME[is_same]}"


def target_words(target: InTarget) -> str:
    """Return what the target has: the names of properties that differ, without their values."""
    if target.seen == "unasked":
        return f"not asked{f': {target.reason}' if target.reason else ''}"
    return TARGET_STATES[target.seen] + (
        f", with other values: {', '.join(target.differs)}" if target.differs else ""
    )


def why_json(result: WhyResult) -> Json:
    """Return the object that `--json` prints."""
    return {
        "sourcedId": result.sourced_id,
        "records": [_record_json(story) for story in result.stories],
    }


def _record_json(story: Story) -> Json:
    waiting = story.waiting
    return {
        "feed": story.key.feed,
        "target": story.key.target,
        "entity": story.entity,
        "roster": {
            "run": story.roster.run,
            "standing": story.roster.standing,
            "record": story.roster.body or None,
        }
        if story.roster
        else None,
        "findings": [vars(finding) for finding in story.last.findings],
        "lastRun": {"run": story.last.run or None, "trouble": story.last.trouble or None},
        "ledger": {
            "status": story.ledger.status,
            "run": story.ledger.run,
            "asRoster": story.is_same,
        }
        if story.ledger
        else None,
        "seen": {
            "is": story.target.seen,
            "differs": list(story.target.differs),
            "reason": story.target.reason or None,
        },
        "plan": {"plan": waiting.plan.id, "action": waiting.action, "why": waiting.sentence}
        if waiting
        else None,
        "verdict": conclusion(story),
    }
