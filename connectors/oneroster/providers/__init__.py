"""The providers whose OneRoster API public pages describe. One module describes one provider.

Every module of this folder declares a `PROVIDER`, and is found by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from connectors.oneroster.provider import Provider


def _declared() -> dict[str, Provider]:
    names = sorted(module.name for module in iter_modules(__path__))
    found = [import_module(f"{__name__}.{name}").PROVIDER for name in names]
    return {provider.code: provider for provider in found}


PROVIDERS: Mapping[str, Provider] = _declared()
