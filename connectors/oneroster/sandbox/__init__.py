"""A local OneRoster API that behaves as the target does, its quirks included: for trying out, and for tests."""

from connectors.oneroster.sandbox.application import application
from connectors.oneroster.sandbox.serving import Sandbox, serve_forever
from connectors.oneroster.sandbox.store import Store

__all__ = ["Sandbox", "Store", "application", "serve_forever"]
