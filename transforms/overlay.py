"""The roster after a drop that is no snapshot: what it was before, with the drop's records laid over it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms import parts
from transforms.findings import ROW
from transforms.judged import Judged
from transforms.parts import Part
from transforms.payload import folded, part_property

OVER = "#over:"


def overlay(before: Judged, drop: Judged) -> Judged:
    """Lay the records of a drop over those `before`, by `sourcedId`, and take away those that are `gone`.

    A column of which the drop does not speak keeps its cells, as it does in the target. A record that
    the drop refuses stays as it was; one that it withholds is withheld.
    """
    gone = pl.concat([drop.gone, drop.withheld["sourcedId"]])
    whole = _laid_over(_without(before.accepted, gone), drop)
    settled = pl.concat([whole["sourcedId"], drop.gone])
    withheld = _without(pl.concat([drop.withheld, before.withheld]).unique("sourcedId", maintain_order=True), settled)
    refused = pl.concat([drop.refused, before.refused]).unique("sourcedId", maintain_order=True)
    return replace(
        drop,
        accepted=whole,
        mode=before.mode,
        refused=_without(refused, pl.concat([settled, withheld["sourcedId"]])),
        withheld=withheld,
        gone=drop.gone.clear(),
        blurred=before.blurred or drop.blurred,
        said=before.said | drop.said,
        partial=before.partial - _told_whole(drop) | drop.partial - _told_whole(before),
        settled=False,
    )


def _without(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col("sourcedId").is_in(ids.implode())) if ids.len() else frame


def _laid_over(before: pl.DataFrame, drop: Judged) -> pl.DataFrame:
    """Give the records of both, each once; of a record in both, what the drop does not say is taken from before."""
    new = drop.accepted.drop(ROW)
    old = before.drop(ROW)
    met = new.join(old.rename(lambda name: name if name == "sourcedId" else OVER + name), on="sourcedId", how="left",
                   maintain_order="left")  # fmt: skip
    names = dict.fromkeys((*new.columns, *old.columns))
    cells = [_cell(name, met, drop) for name in names]
    laid = met.select(cells)
    stay = old.join(new.select("sourcedId"), on="sourcedId", how="anti", maintain_order="left")
    return pl.concat([stay, laid], how="diagonal").with_row_index(ROW, 1)


def _cell(name: str, met: pl.DataFrame, drop: Judged) -> pl.Expr | pl.Series:
    part = folded(drop.entity).get(name)
    if name == "sourcedId" or OVER + name not in met.columns:
        return pl.col(name)
    if name not in met.columns:
        return pl.col(OVER + name).alias(name)
    if part and part_property(part) in drop.partial and not drop.settled:
        return _united(name, met)
    if name in drop.said or part:
        return pl.col(name)
    return pl.coalesce(name, OVER + name)


def _united(name: str, met: pl.DataFrame) -> pl.Series:
    """Add the parts of the drop to those that were there."""
    pairs = met.select(name, OVER + name).iter_rows()
    return pl.Series(name, [_both(new, old) for new, old in pairs], dtype=pl.String)


def _both(new: str | None, old: str | None) -> str | None:
    held: list[Part] = [part for text in (new, old) if text for part in parts.unfolded(text)]
    return parts.folded_again(part for place, part in enumerate(held) if part not in held[:place])


def _told_whole(judged: Judged) -> frozenset[str]:
    """The kinds of parts of which a drop holds all."""
    return frozenset(part_property(part) for name, part in folded(judged.entity).items() if name in judged.said)
