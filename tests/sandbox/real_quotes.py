"""What the sandbox's pools give, asked from the protocols' own quoting contracts."""

from collections.abc import Mapping
from typing import Any

from onchain_exec.app.sandbox import Deployment
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import ZERO_ADDRESS, Address, Token, to_address
from onchain_exec.core.abi import Function

_KEY = "(address,address,uint24,int24,address)"
_TOKEN0, _TOKEN1 = Function("token0()", "(address)"), Function("token1()", "(address)")
_FEE = Function("fee()", "(uint24)")
_POOL_KEYS = Function("poolKeys(bytes25)", _KEY)
_POOL_ID = Function("getPoolId()", "(bytes32)")
_POOL_TOKENS = Function("getPoolTokens(bytes32)", "(address[],uint256[],uint256)")
_V2 = Function("getAmountsOut(uint256,address[])", "(uint256[])")
_V3 = Function(
    "quoteExactInputSingle((address,address,uint256,uint24,uint160))", "(uint256,uint160,uint32,uint256)"
)
_V4 = Function(f"quoteExactInputSingle(({_KEY},bool,uint128,bytes))", "(uint256,uint256)")
_BALANCER = Function(
    "querySwap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool))", "(uint256)"
)


class RealPools:
    """The seeded pools of a deployment. Ether counts as wrapped ether: wrapping costs nothing."""

    def __init__(self, evm: Evm, deployment: Deployment) -> None:
        self.evm, self.deployment = evm, deployment
        self._tokens = {token.address: token for token in deployment.tokens.values()}
        self._tokens[ZERO_ADDRESS] = deployment.tokens["WETH"]

    def get_tokens(self, key: str) -> list[Token]:
        """Return the sandbox tokens that the pool trades."""
        kind, name = key.split(":")
        if kind in ("uniswap_v2", "uniswap_v3"):
            held = [self.ask(to_address(name), _TOKEN0)[0], self.ask(to_address(name), _TOKEN1)[0]]
        elif kind == "uniswap_v4":
            held = list(self.get_v4_key(name)[:2])
        else:
            held = list(
                self.ask(self.get_contract("balancer_v2", "vault"), _POOL_TOKENS, self.get_pool_id(name))[0]
            )
        known = (self._tokens.get(to_address(address)) for address in held)
        return [token for token in known if token]  # a stable pool also holds its own share

    def quote(self, key: str, token_in: Token, token_out: Token, amount_in: int) -> int:
        """Return the amount out of an exact input."""
        kind, name = key.split(":")
        pair = (token_in.address, token_out.address)
        if kind == "uniswap_v2":
            return int(self.ask(self.get_contract(kind, "router"), _V2, amount_in, pair)[0][-1])
        if kind == "uniswap_v3":
            (fee,) = self.ask(to_address(name), _FEE)
            return int(self.ask(self.get_contract(kind, "quoter"), _V3, (*pair, amount_in, fee, 0))[0])
        if kind == "uniswap_v4":
            pool = self.get_v4_key(name)
            zero_for_one = self._tokens[to_address(pool[0])] == token_in
            return int(
                self.ask(self.get_contract(kind, "quoter"), _V4, (pool, zero_for_one, amount_in, b""))[0]
            )
        swap = (self.get_pool_id(name), 0, *pair, amount_in, b"")
        funds = (DEPLOYER, False, DEPLOYER, False)
        return int(self.ask(self.get_contract("balancer_v2", "queries"), _BALANCER, swap, funds)[0])

    def get_v4_key(self, pool_id: str) -> tuple[Address, Address, int, int, Address]:
        """Return the PoolKey, which the PositionManager keeps."""
        manager = self.get_contract("uniswap_v4", "position_manager")
        return self.ask(manager, _POOL_KEYS, bytes.fromhex(pool_id[2:52]))

    def get_pool_id(self, address: str) -> bytes:
        """Return a Balancer pool's id."""
        return bytes(self.ask(to_address(address), _POOL_ID)[0])

    def get_contract(self, protocol: str, role: str) -> Address:
        contracts: Mapping[str, Address] = self.deployment.protocols[protocol]
        return contracts[role]

    def ask(self, to: Address, function: Function, *arguments: object) -> tuple[Any, ...]:
        return function.decode(self.evm.static_call(to, function.encode(*arguments)))
