"""The commands of four nights: a first load, the same drop again, a changed drop, a restore."""

from __future__ import annotations

from tests.golden.recording import Recorder
from tests.golden.sample import Sample

TARGET = ("--target", "env", "--json")


def recorded(sample: Sample, recorder: Recorder) -> dict[str, str]:
    """Run all nights of a sample in the current folder; return the records by name."""
    sample.put()
    if sample.before:
        recorder.begin(0, "before")
        recorder.prepare("sync", sample.before, *TARGET)
    first = first_load(sample, recorder)
    same_drop(sample, recorder)
    changed_drop(sample, recorder)
    going_back(sample, recorder, first)
    return {name: "\n".join(parts) for name, parts in recorder.records.items()}


def first_load(sample: Sample, recorder: Recorder) -> str:
    """Check, plan and load a drop into an empty target; return the id of the run."""
    recorder.begin(1, "first_load")
    recorder.roster("check", sample.drop, "--json")
    recorder.roster("plan", sample.drop, *TARGET)
    run = recorder.roster("sync", sample.drop, *TARGET)
    recorder.roster("status", "--json")
    recorder.roster("export", sample.drop, "out/roster.zip", "--json")
    recorder.roster("verify", sample.drop, *TARGET)
    return str(run.json["run"])


def same_drop(sample: Sample, recorder: Recorder) -> None:
    """Load the same drop again."""
    recorder.begin(2, "same_drop")
    recorder.roster("plan", sample.drop, *TARGET)
    recorder.roster("sync", sample.drop, *TARGET)
    recorder.roster("status")


def changed_drop(sample: Sample, recorder: Recorder) -> None:
    """Load a changed drop with changes that are held, ask why, and approve them."""
    recorder.begin(3, "changed_drop")
    sample.put(sample.edits)
    recorder.roster("plan", sample.drop, *TARGET)
    plan = str(recorder.roster("sync", sample.drop, *TARGET).json["plan"])
    recorder.roster("why", sample.held)
    recorder.roster("why", sample.rejected, "--json")
    recorder.roster("status", *([sample.drop] if sample.written else []))
    approve(plan, sample, recorder)
    recorder.roster("verify", sample.drop, *TARGET)
    recorder.roster("status", "--json")


def approve(plan: str, sample: Sample, recorder: Recorder) -> None:
    """Approve a plan, with a name and a note."""
    recorder.roster(
        "sync", sample.drop, "--approve", plan, "--by", "principal", "--note", "seen", *TARGET
    )


def going_back(sample: Sample, recorder: Recorder, first: str) -> None:
    """Restore the first roster, and forget a person."""
    recorder.begin(4, "going_back")
    if plan := recorder.roster("restore", first, sample.drop, *TARGET).json["plan"]:
        approve(plan, sample, recorder)
    recorder.roster(
        "forget", sample.person, "--by", "parent", "--note", "asked by letter", "--json"
    )
    recorder.roster("why", sample.person)
    recorder.roster("verify", sample.drop, *TARGET)
    recorder.roster("status")
