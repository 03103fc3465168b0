"""Step 6 of the pipeline: which changes a person must approve before they are sent."""

from transforms.guard.context import GuardContext, Rejections
from transforms.guard.guard import GuardResult, guard, guard_plan
from transforms.guard.holds import Hold
from transforms.guard.limits import GuardLimits, LimitReading
from transforms.guard.plan import PLAN_COLUMNS as PLANNED_COLUMNS
from transforms.guard.plan import (
    changed_since,
    changes_of_plan,
    contradicted_records,
    fill_grades,
    held_records,
    plan_id,
    unsent_records,
)

__all__ = [
    "PLANNED_COLUMNS",
    "GuardResult",
    "Hold",
    "GuardLimits",
    "GuardContext",
    "LimitReading",
    "Rejections",
    "guard",
    "guard_plan",
    "changed_since",
    "changes_of_plan",
    "contradicted_records",
    "plan_id",
    "held_records",
    "unsent_records",
    "fill_grades",
]
