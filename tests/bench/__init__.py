"""Speed as ratios: the unchanged night beside a bare polars script, in turn, in one run. No test times anything."""
