"""The ledger: what the target has acknowledged, and what a killed run was sending, by feed."""

from connectors.ledger.database import ADDRESS, address_fault, with_sslmode
from connectors.ledger.history import Decision, Plan, Run
from connectors.ledger.ledger import Ledger
from connectors.ledger.lock import Busy, Holder
from connectors.ledger.newest_runs import Which
from connectors.ledger.tables import FeedKey, LedgerError

__all__ = [
    "ADDRESS",
    "Busy",
    "Decision",
    "FeedKey",
    "Holder",
    "Ledger",
    "LedgerError",
    "Plan",
    "Run",
    "Which",
    "address_fault",
    "with_sslmode",
]
