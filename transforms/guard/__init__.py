"""Step 6 of the pipeline: which changes a person must approve before they are sent."""

from transforms.guard.context import GuardContext, Rejections
from transforms.guard.guard import Guarded, guard, guard_plan
from transforms.guard.holds import Hold
from transforms.guard.limits import GuardLimits, LimitReading
from transforms.guard.plan import PLANNED as PLANNED_COLUMNS
from transforms.guard.plan import moved, of_plan, overtaken, plan_id, planned, undone, with_grades

__all__ = [
    "PLANNED_COLUMNS",
    "Guarded",
    "Hold",
    "GuardLimits",
    "GuardContext",
    "LimitReading",
    "Rejections",
    "guard",
    "guard_plan",
    "moved",
    "of_plan",
    "overtaken",
    "plan_id",
    "planned",
    "undone",
    "with_grades",
]
