"""The ledger: what the target has acknowledged, feed by feed, and what was on its way when a run was killed."""

from connectors.ledger.address import ADDRESS, fault_of, with_mode
from connectors.ledger.errors import LedgerError
from connectors.ledger.history import Decision, Plan, Run
from connectors.ledger.key import FeedKey
from connectors.ledger.ledger import Ledger
from connectors.ledger.lock import Busy, Holder

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
    "fault_of",
    "with_mode",
]
