"""Step 6 of the straight line: which changes a person has to agree to before they are sent."""

from transforms.guard.again import judged_again
from transforms.guard.guard import Guarded, guard
from transforms.guard.limits import Limits, Reading
from transforms.guard.overtaken import overtaken
from transforms.guard.past import Past, Rejections
from transforms.guard.plan import PLANNED as PLANNED_COLUMNS
from transforms.guard.plan import moved, of_plan, plan_id, planned, undone, with_grades
from transforms.guard.stops import Hold

__all__ = [
    "PLANNED_COLUMNS",
    "Guarded",
    "Hold",
    "Limits",
    "Past",
    "Reading",
    "Rejections",
    "guard",
    "judged_again",
    "moved",
    "of_plan",
    "overtaken",
    "plan_id",
    "planned",
    "undone",
    "with_grades",
]
