"""Score scales, of which JSON does not say the organisation, nor always the course: they have those of their class.

The CSV binding wants both (reference: oddities of the REST binding).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from transforms.raw import RawFile
from transforms.schemas import ENTITIES

SCALES, CLASSES = ENTITIES["scoreScales"].file, ENTITIES["classes"].file


def placed(files: Mapping[str, RawFile]) -> dict[str, RawFile]:
    """Fill in what the classes say of their scales, where the scales do not say it."""
    if not {SCALES, CLASSES} <= files.keys():
        return dict(files)
    said = files[CLASSES].frame.select("sourcedId", school="schoolSourcedId", of="courseSourcedId")
    frame = files[SCALES].frame.join(
        said.unique("sourcedId"), left_on="classSourcedId", right_on="sourcedId", how="left", maintain_order="left"
    )
    filled = frame.with_columns(
        orgSourcedId=pl.col("orgSourcedId").fill_null(pl.col("school")),
        courseSourcedId=pl.col("courseSourcedId").fill_null(pl.col("of")),
    )
    return {**files, SCALES: replace(files[SCALES], frame=filled.drop("school", "of"))}
