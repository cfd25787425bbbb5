"""From settings to the parts of a desk: journal, policy, signer."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from onchain_exec.app.configuration.endpoints import open_configured_rpc
from onchain_exec.app.configuration.registry import ChainProfile, get_chain_profile
from onchain_exec.app.configuration.settings import Settings
from onchain_exec.app.configuration.switched_signer import SwitchedSigner
from onchain_exec.app.configuration.tokens import NO_TOKEN_LIMITS, TokenLimits
from onchain_exec.app.deploy.record import add_deployed
from onchain_exec.app.intents.book import IntentBook
from onchain_exec.app.intents.http_book import HttpIntentBook
from onchain_exec.app.path.context import Context, Observer, Policy
from onchain_exec.chain import Node, Rpc
from onchain_exec.clearing.settle.contract import SETTLE_ERRORS
from onchain_exec.errors import ConfigError, SignerError
from onchain_exec.execution import KeystoreSigner, LocalSigner, Signer
from onchain_exec.execution.channels import ChannelPolicy
from onchain_exec.oms import Journal
from onchain_exec.risk import Limits
from onchain_exec.routing.matching.solver_call import SOLVER_ERRORS
from onchain_exec.venues.guard import GUARD_ERRORS
from onchain_exec.venues.router import ROUTER_ERRORS

_ERRORS: Final = (*SETTLE_ERRORS, *SOLVER_ERRORS, *ROUTER_ERRORS, *GUARD_ERRORS)
LOCAL_CHAIN_ID: Final = 1337
LOCAL_TRADER_KEY: Final = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
"""The second of anvil's public test keys: the trader of the local chain. Worth nothing elsewhere."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How to open a desk's parts. ``signer_of`` makes the signer for the chain id that the node
    tells; ``profile`` None takes the chain from the data file, with our contracts from its file in
    ``deployments``."""

    rpc_url: str | Rpc
    signer_of: Callable[[int], Signer | None]
    journal: str | Path
    policy: Policy
    observe: Observer
    profile: ChainProfile | None = None
    chain_id: int | None = None
    deployments: Path | None = None
    intent_book: IntentBook | None = None
    token_limits: TokenLimits = NO_TOKEN_LIMITS

    @classmethod
    def configured(cls, settings: Settings, observe: Observer, *, read_only: bool = False) -> Self:
        """Return the opening that the settings describe; ``read_only`` leaves the signer out."""
        return cls(
            open_configured_rpc(settings),
            lambda chain_id: None if read_only else make_signer(settings, chain_id),
            settings.journal,
            make_policy(settings),
            observe,
            chain_id=settings.chain_id,
            deployments=settings.deployments,
            intent_book=make_intent_book(settings),
            token_limits=TokenLimits.configured(settings),
        )

    async def open(self, resources: AsyncExitStack) -> Context:
        """Open journal and node, checked to be of one chain; ``resources`` will close them."""
        needed = self.profile.chain_id if self.profile else self.chain_id
        node = await Node.connect(self.rpc_url, chain_id=needed, errors=_ERRORS)
        resources.push_async_callback(node.close)
        if self.policy.private_only and not node.takes_private:
            raise ConfigError(
                "private_only is set, and no endpoint is private",
                needed="private+URL or relay+URL among the node URLs",
            )
        profile = self.profile or get_chain_profile(node.chain_id)
        if self.deployments is not None:
            profile = add_deployed(profile, self.deployments)
        limits = await self.token_limits.bind(self.policy.limits, node, profile)
        journal = resources.enter_context(Journal.open(self.journal))
        signer = self.signer_of(node.chain_id)
        return Context(
            node=node,
            profile=profile,
            journal=journal,
            policy=replace(self.policy, limits=limits),
            signer=signer and SwitchedSigner(signer, journal),
            now=lambda: int(time.time()),
            observe=self.observe,
            intent_book=self.intent_book,
        )


def make_policy(settings: Settings) -> Policy:
    """Return the policy that the settings describe."""
    return Policy(
        limits=Limits(
            max_slippage_bps=settings.max_order_slippage_bps,
            max_impact_bps=settings.max_impact_bps,
            max_shortfall_bps=settings.max_shortfall_bps,
            max_quote_age_s=settings.max_quote_age_s,
            max_price_divergence_bps=settings.max_price_divergence_bps,
            max_price_age_s=settings.max_price_age_s,
            min_price_kinds=settings.min_price_kinds,
            gas_reserve_wei=int(settings.gas_reserve_ether * 10**18),
        ),
        max_slippage_bps=settings.max_slippage_bps,
        time_to_live_s=settings.time_to_live_s,
        confirmations=settings.confirmations,
        confirm_timeout_s=settings.confirm_timeout_s,
        private_only=settings.private_only,
        channels=ChannelPolicy(
            settings.channels,
            wait_blocks=settings.wait_blocks,
            reconsider_blocks=settings.reconsider_blocks,
            fall_back_to_public=settings.fall_back_to_public,
            intent_s=settings.intent_s,
        ),
        max_fee_wei=None if settings.max_fee_gwei is None else int(settings.max_fee_gwei * 10**9),
    )


def make_intent_book(settings: Settings) -> IntentBook | None:
    """Return the book that shows the desk's intents, or None where none is configured.

    Raises:
        ConfigError: its URL is none.
    """
    if not settings.intent_book:
        return None
    token = settings.intent_book_token
    return HttpIntentBook(settings.intent_book, token.get_secret_value() if token else "")


def make_signer(settings: Settings, chain_id: int) -> Signer | None:
    """Return the configured signer, bound to ``chain_id``; on the local chain, where none is needed,
    its public trader; else None.

    Raises:
        ConfigError: both a key and a keystore are given, one that cannot be used, or a keystore without a
            readable file or password.
    """
    if settings.private_key is not None and settings.keystore is not None:
        raise ConfigError("both private_key and keystore are set", needed="one of them")
    try:
        return _make_signer(settings, chain_id)
    except SignerError as error:
        raise ConfigError(error.found, needed=error.needed, todo=error.todo) from error


def _make_signer(settings: Settings, chain_id: int) -> Signer | None:
    if settings.private_key is not None:
        return LocalSigner(settings.private_key.get_secret_value(), chain_id=chain_id)
    if settings.keystore is not None:
        if settings.keystore_password is None:
            raise ConfigError(
                "the keystore has no password",
                needed="ONCHAIN_EXEC_KEYSTORE_PASSWORD in the environment or .env",
            )
        return KeystoreSigner(
            _read_text(settings.keystore), settings.keystore_password.get_secret_value(), chain_id=chain_id
        )
    return LocalSigner(LOCAL_TRADER_KEY, chain_id=chain_id) if chain_id == LOCAL_CHAIN_ID else None


def _read_text(path: Path) -> str:
    try:
        return path.expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the keystore {path} cannot be read: {type(error).__name__}",
            needed="a file of encrypted JSON that this user may read",
            todo="Set ONCHAIN_EXEC_KEYSTORE to its path",
        ) from error
