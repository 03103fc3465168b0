"""A district's first load: preflight, probe, plan, approval by a person, load and verification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flows.decide import Ask, decide
from flows.options import Options
from flows.orchestration.flow_end import flow_end
from flows.preflight.probe import is_staging, probe
from flows.preflight.run import preflight
from flows.reports.probe import probe_lines
from flows.result import FlowEnd, RunResult
from flows.verify import Verification
from flows.watch import Watch
from transforms.grammar import agree, count_of

Perform = Callable[[Options], RunResult]
Verify = Callable[[Options], Verification]
# Shows people a page, given its short name and its lines.
Show = Callable[[str, list[str]], None]


@dataclass(frozen=True)
class FirstLoadMeans:
    """What a first load shows, asks and runs with: Prefect's pages and forms, or a test's."""

    watch: Watch
    ask: Ask
    perform: Perform
    verify: Verify
    show: Show


def first_load(options: Options, environment: Mapping[str, str], means: FirstLoadMeans) -> FlowEnd:
    """Load a district for the first time. Nothing is sent before a person has approved the plan."""
    drop = str(options.drop)
    ready = means.watch.stage("preflight", preflight, options, environment)
    means.show("preflight", list(ready.lines()))
    if not ready.ok:
        return FlowEnd("Not ready", "Nothing was sent. The preflight says what to fix first.")
    if is_staging(options, environment):
        probed = means.watch.stage("probe", probe, options, environment)
        means.show("probe", probe_lines(probed))
        if probed.exit_code:
            return FlowEnd(
                "Not ready",
                "The probe stopped early, or left something in the target: its page says what. "
                "Nothing else was sent.",
            )
    checked = means.perform(replace(options, command="check"))
    if checked.exit_code:
        return flow_end(checked, drop)
    proposed = means.perform(replace(options, told={"ask_first": True}))
    if proposed.status != "held" or not proposed.plan:
        return flow_end(proposed, drop)

    def send(approved: Options) -> FlowEnd:
        return flow_end(means.perform(approved), drop)

    end = decide(proposed.plan, options, environment, means.ask, send)
    return _verify_load(options, means, end) if end.name == "Completed" else end


def _verify_load(options: Options, means: FirstLoadMeans, loaded: FlowEnd) -> FlowEnd:
    found = means.verify(options)
    if not found.found:
        return replace(loaded, message=f"{loaded.message} Verified: the target holds it.")
    message = (
        f"It was loaded, and {count_of(found.found, 'records')} in the target "
        f"{agree(found.found, 'differ')}. `roster verify {options.drop}` has the details."
    )
    return FlowEnd("Failed", message, loaded.outcome)
