"""Execute trades on-chain: exact quotes, routes, checks, transactions, and a journal that survives.

``from onchain_exec import Desk`` is the front door. Importing this package loads nothing else and
does nothing; what it names is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onchain_exec.app.desk import AsyncDesk
    from onchain_exec.app.path.context import Policy
    from onchain_exec.app.request import Request
    from onchain_exec.app.sync_desk import Desk
    from onchain_exec.core import Call, Condition, Exact, Token, to_address
    from onchain_exec.errors import OnchainExecError
    from onchain_exec.execution import KeystoreSigner, LocalSigner
    from onchain_exec.oms import OrderState
    from onchain_exec.risk import Limits

__all__ = [
    "AsyncDesk",
    "Call",
    "Condition",
    "Desk",
    "Exact",
    "KeystoreSigner",
    "Limits",
    "LocalSigner",
    "OnchainExecError",
    "OrderState",
    "Policy",
    "Request",
    "Token",
    "to_address",
]

_HOMES = {
    "app.path.context": ("Policy",),
    "app.desk": ("AsyncDesk",),
    "app.request": ("Request",),
    "app.sync_desk": ("Desk",),
    "core": ("Call", "Condition", "Exact", "Token", "to_address"),
    "errors": ("OnchainExecError",),
    "execution": ("KeystoreSigner", "LocalSigner"),
    "oms": ("OrderState",),
    "risk": ("Limits",),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"onchain_exec.{home}"), name)
    raise AttributeError(f"module 'onchain_exec' has no attribute {name!r}")
