"""A local OneRoster API that behaves like the target, quirks included: for trials and for tests."""

from connectors.oneroster.sandbox.app import application
from connectors.oneroster.sandbox.server import Sandbox, serve_forever
from connectors.oneroster.sandbox.store import SandboxStore

__all__ = ["Sandbox", "SandboxStore", "application", "serve_forever"]
