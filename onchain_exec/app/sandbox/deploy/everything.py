"""All protocols and their markets on one chain, and a trader with something to trade."""

from __future__ import annotations

from onchain_exec.app.sandbox.deploy.balancer_v2 import deploy_balancer_v2
from onchain_exec.app.sandbox.deploy.own import deploy_own
from onchain_exec.app.sandbox.deploy.permit2 import deploy_permit2
from onchain_exec.app.sandbox.deploy.safe import deploy_safe
from onchain_exec.app.sandbox.deploy.tokens import deploy_tokens
from onchain_exec.app.sandbox.deploy.uniswap_v2 import deploy_uniswap_v2
from onchain_exec.app.sandbox.deploy.uniswap_v3 import deploy_uniswap_v3
from onchain_exec.app.sandbox.deploy.uniswap_v4 import deploy_uniswap_v4
from onchain_exec.app.sandbox.deploy.universal_router import deploy_universal_router
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.erc20 import fund
from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.app.sandbox.seed.balancer_v2 import seed_balancer_v2
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.app.sandbox.seed.uniswap_v2 import seed_uniswap_v2
from onchain_exec.app.sandbox.seed.uniswap_v3 import seed_uniswap_v3
from onchain_exec.app.sandbox.seed.uniswap_v4 import seed_uniswap_v4
from onchain_exec.core import Address

TRADER_USD = 3_000_000
"""What the trader gets of each token: 1,000 WETH, 50 WBTC, 3,000,000 USDC and DAI."""


def deploy_everything(evm: Evm, chain_id: int, trader: Address) -> Deployment:
    """Deploy and seed; ``block_number`` is left 0, because an `Evm` does not tell it."""
    tokens = deploy_tokens(evm, chain_id)
    protocols = deploy_protocols(evm, tokens["WETH"].address)
    pools = (
        *seed_uniswap_v2(evm, protocols["uniswap_v2"], tokens),
        *seed_uniswap_v3(evm, protocols["uniswap_v3"], tokens),
        *seed_uniswap_v4(evm, protocols, tokens),
        *seed_balancer_v2(evm, protocols["balancer_v2"], tokens),
    )
    for token in tokens.values():
        fund(evm, token, trader, get_amount(token, TRADER_USD))
    # last: the addresses of all before them stay as they are
    protocols["safe"] = deploy_safe(evm)
    protocols["onchain_exec"] = deploy_own(evm, tokens["WETH"].address, protocols)
    return Deployment(chain_id, tokens, protocols, pools, trader, 0)


def deploy_protocols(evm: Evm, weth: Address) -> dict[str, dict[str, Address]]:
    """Deploy all protocols, without any pool; return their contracts by protocol and role."""
    protocols = {"uniswap_v2": deploy_uniswap_v2(evm, weth)}
    protocols["uniswap_v3"] = deploy_uniswap_v3(evm, weth, protocols["uniswap_v2"]["factory"])
    protocols["permit2"] = {"permit2": deploy_permit2(evm)}
    protocols["uniswap_v4"] = deploy_uniswap_v4(evm, weth, protocols["permit2"]["permit2"])
    protocols["universal_router"] = deploy_universal_router(evm, weth, protocols)
    protocols["balancer_v2"] = deploy_balancer_v2(evm, weth)
    return protocols
