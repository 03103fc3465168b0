"""How bytes come in and go out: drops, the ledger, the OneRoster API and its sandbox."""
