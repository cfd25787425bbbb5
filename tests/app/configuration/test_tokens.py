"""Limits that name tokens: they bind the token that is meant, in its own units, or the desk does not open."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from onchain_exec.app.configuration.tokens import NO_TOKEN_LIMITS, TokenLimits
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.errors import ConfigError
from onchain_exec.risk import Limits

UNKNOWN = "0x" + "42" * 20


async def bind(chain: Sandbox, limits: TokenLimits) -> Limits:
    node = await Node.connect(chain.url)
    try:
        return await limits.bind(Limits(max_impact_bps=7), node, chain.profile)
    finally:
        await node.close()


async def test_bind_by_symbol_or_address_gives_base_units_of_the_token(local_chain: Sandbox) -> None:
    weth, usdc, dai = (local_chain.profile.tokens[symbol].address for symbol in ("WETH", "USDC", "DAI"))
    most = {"weth": Decimal("1.5"), usdc.lower(): Decimal(2_000)}
    bound = await bind(local_chain, TokenLimits(most, ("DAI", weth)))
    assert bound == Limits(
        max_impact_bps=7,
        max_notional={weth: 15 * 10**17, usdc: 2_000 * 10**6},
        allowed_tokens=frozenset({dai, weth}),
    )


async def test_bind_of_no_names_leaves_the_limits_and_of_none_allowed_allows_none(
    local_chain: Sandbox,
) -> None:
    assert await bind(local_chain, NO_TOKEN_LIMITS) == Limits(max_impact_bps=7)
    assert (await bind(local_chain, TokenLimits({}, ()))).allowed_tokens == frozenset()


@pytest.mark.parametrize(
    ("most", "allowed", "named"),
    [
        ({"NOPE": Decimal(1)}, None, "max_notional names 'NOPE'"),
        ({"ETH": Decimal(1)}, None, "native coin"),
        ({UNKNOWN: Decimal(1)}, None, f"max_notional names '{UNKNOWN}'"),
        ({"USDC": Decimal("0.0000001")}, None, "max_notional names 'USDC'"),
        ({"USDC": Decimal(0)}, None, "max_notional names 'USDC'"),
        ({"USDC": Decimal(1), "usdc": Decimal(2)}, None, "USDC twice"),
        ({}, ("WETH", "0x12"), "allowed_tokens names '0x12'"),
    ],
)
async def test_bind_of_what_would_bind_nothing_is_refused(
    most: Mapping[str, Decimal], allowed: tuple[str, ...] | None, named: str, local_chain: Sandbox
) -> None:
    with pytest.raises(ConfigError) as refused:
        await bind(local_chain, TokenLimits(most, allowed))
    assert named in str(refused.value)
