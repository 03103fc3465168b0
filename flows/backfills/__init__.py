"""`roster backfill`: replays past days."""
