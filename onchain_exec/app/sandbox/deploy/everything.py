"""All protocols and their markets on one chain, and a trader with something to trade."""

from __future__ import annotations

from onchain_exec.app.sandbox.deploy.tokens import deploy_tokens
from onchain_exec.app.sandbox.deploy.uniswap_v2 import deploy_uniswap_v2
from onchain_exec.app.sandbox.deploy.uniswap_v3 import deploy_uniswap_v3
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.app.sandbox.seed.uniswap_v2 import seed_uniswap_v2
from onchain_exec.app.sandbox.seed.uniswap_v3 import seed_uniswap_v3
from onchain_exec.core import Address

_TRADER_USD = 3_000_000
"""What the trader gets of each token: 1,000 WETH, 50 WBTC, 3,000,000 USDC and DAI."""


def deploy_everything(evm: Evm, chain_id: int, trader: Address) -> Deployment:
    """Deploy and seed; ``block_number`` is left 0, because an `Evm` does not tell it."""
    tokens = deploy_tokens(evm, chain_id)
    weth = tokens["WETH"].address
    v2 = deploy_uniswap_v2(evm, weth)
    v3 = deploy_uniswap_v3(evm, weth, v2["factory"])
    seed_uniswap_v2(evm, v2, tokens)
    seed_uniswap_v3(evm, v3, tokens)
    for token in tokens.values():
        fund(evm, token, trader, get_amount(token, _TRADER_USD))
    return Deployment(chain_id, tokens, {"uniswap_v2": v2, "uniswap_v3": v3}, trader, 0)
