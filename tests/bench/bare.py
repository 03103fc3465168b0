"""The reference: what any program must do. Read the CSVs as text, fingerprint the rows, join the fingerprints of last time, count."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import polars_hash  # noqa: F401 (registers the namespace nchash)

# A fingerprint that the next release of a library does not change, as any that is stored must be.
FINGERPRINT = pl.concat_str(pl.all(), separator="\x1f", ignore_nulls=True).nchash.xxh3_64()  # type: ignore[attr-defined]


def main(drop: Path, store: Path) -> None:
    """Compare a drop with the fingerprints in `store`; write them there the first time."""
    store.mkdir(parents=True, exist_ok=True)
    for file in sorted(drop.glob("*.csv")):
        if file.stem == "manifest":
            continue
        rows = pl.read_csv(file, infer_schema=False)
        now = rows.select("sourcedId", fingerprint=FINGERPRINT)
        last = store / f"{file.stem}.parquet"
        if not last.exists():
            now.write_parquet(last)
        both = now.join(pl.read_parquet(last), on="sourcedId", how="full", suffix="Last")
        print(
            file.stem,
            both.select((pl.col("fingerprint") == pl.col("fingerprintLast")).sum()).item(),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
