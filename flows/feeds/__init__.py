"""Feeds: the settings in their files, their secrets, schedules, targets and keys in the ledger."""
