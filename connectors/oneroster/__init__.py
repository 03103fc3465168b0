"""The target: a OneRoster v1.2 API with writes, as Timeback publishes it, and its sandbox."""
