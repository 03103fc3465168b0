"""What a record's story comes to, and what to do: one sentence."""

from __future__ import annotations

from flows.plans import WORDS
from flows.why.story import InLedger, Story, Waiting
from transforms.changes import ACTIVE, DELETED, DISABLED, ENDED, KEPT

WELL = {
    ACTIVE: "All is well: the target holds it as the roster says. Nothing to do.",
    KEPT: "It vanished from the drop and is kept in the target, as the feed's policy wants. Nothing to do.",
    DISABLED: "It vanished from the drop, and may not sign in any more. Who returns to the drop is enabled again.",
    ENDED: "It vanished from the drop, and has ended in the target. What returns to the drop goes on.",
    DELETED: "It was deleted in the target when it vanished from the drop. What returns to the drop is brought back.",
}


def comes_to(story: Story) -> str:
    """Say it: what waits for a person goes before what is wrong in the drop, and that before the target."""
    if story.waiting:
        return _waits(story, story.waiting)
    if story.last.findings:
        return _rejected(story)
    if story.roster and story.roster.standing == "withheld":
        return "It is in the drop and does not leave: the feed's file does not share it, or the target has no place for it. See [share] and [target] there."
    if story.last.trouble:
        return f"The last run did not bring it to the target. Mend the cause, and run: roster sync {story.drop}"
    return _in_ledger(story, story.ledger) if story.ledger else _unknown_to_ledger(story)


def _waits(story: Story, waiting: Waiting) -> str:
    sent = f"It waits for a person, and is {WORDS[waiting.action]} once the plan is sent: roster sync {story.drop} --approve {waiting.plan.id}"
    return f"{sent}. To drop the plan: roster discard {waiting.plan.id}"


def _rejected(story: Story) -> str:
    first = story.last.findings[0]
    where = " ".join(part for part in (first.file, f"row {first.row}" if first.row else "", first.column) if part)
    meanwhile = "the target keeps what it had" if story.ledger else "the target does not get it"
    return f"It was rejected: correct {where} at the source, and the next sync takes it. Until then {meanwhile}."


def _unknown_to_ledger(story: Story) -> str:
    if story.roster and story.roster.standing == "accepted":
        return f"It was accepted, and the target has not acknowledged it yet. To send it: roster sync {story.drop}"
    if story.forgotten and story.target.seen == "deleted":
        return "This person was forgotten: the target holds the id as deleted, and every drop is read without the person. Nothing to do."
    if story.forgotten:
        return "This person was forgotten here, and the target still holds the record. Ask whoever runs the target to remove it; no drop of ours brings it back."
    if story.target.seen == "there":
        return "The target holds it, and this feed has not sent it: it is somebody else's, and is left alone."
    if story.target.seen == "deleted":
        return "The target holds it as deleted, and this feed has not sent it: it is somebody else's."
    return "The last run refused it, and the target has never acknowledged it. See that run's report."


def _in_ledger(story: Story, ledger: InLedger) -> str:
    repair = f"roster verify {story.drop} --repair"
    there = story.target.seen
    if ledger.status == DELETED:
        if there == "there":
            return f"We deleted it, and it is active again in the target: somebody else brought it back. To delete it: {repair}"
        back = story.roster is not None and story.roster.standing == "accepted"
        return (
            f"It was deleted, and is in the roster again. To bring it back: roster sync {story.drop}"
            if back
            else WELL[DELETED]
        )
    if there in ("absent", "deleted"):
        return f"The target has lost it. To send it again: {repair}"
    if story.is_same is False:
        return f"The roster says something else than the target has acknowledged. To send it: roster sync {story.drop}"
    if story.target.differs:
        return f"Somebody else changed it in the target ({', '.join(story.target.differs)}). To put that back: {repair}"
    if ledger.status == ACTIVE and story.roster and story.roster.standing == "absent":
        return f"The last roster does not have it any more, and the target does. To see what becomes of it: roster plan {story.drop}"
    if there == "unasked" and ledger.status == ACTIVE:
        return "As far as is known here, all is well: the target has acknowledged it. Whether it still has it was not asked."
    return WELL[ledger.status]
