"""What people are told of: kinds of causes, each known by a digest of what they would act upon."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["failed", "refused", "held", "stale", "unusual"]
KINDS: tuple[Kind, ...] = get_args(Kind)
