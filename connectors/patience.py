"""For how long a run waits for a server that may answer again: the target's, or the ledger's."""

PATIENCE_SECONDS = 120.0
