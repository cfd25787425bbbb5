"""What the deployed contracts quote is what they then swap, to the unit."""

from collections.abc import Callable, Iterator
from itertools import permutations

import pytest
from eth_abi import encode
from eth_utils import keccak
from real_quotes import RealPools

from onchain_exec.app.sandbox.deploy.permit2 import PERMIT2
from onchain_exec.app.sandbox.erc20 import approve, get_balance
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.core import ZERO_ADDRESS, Address, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT160
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm

AMOUNT_USD = 50_000
DEADLINE = 2**48 - 1
_V2_ROUTER = Function("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", "(uint256[])")
_ROUTER02_V2 = Function("swapExactTokensForTokens(uint256,uint256,address[],address)", "(uint256)")
_ROUTER02_V3 = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
)
_FEE = Function("fee()", "(uint24)")
_EXECUTE = Function("execute(bytes,bytes[],uint256)")
_PERMIT2_APPROVE = Function("approve(address,address,uint160,uint48)")
_DOMAIN_SEPARATOR = Function("DOMAIN_SEPARATOR()", "(bytes32)")
_VAULT_SWAP = Function(
    "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)",
    "(uint256)",
)
_V4_EXACT_IN = "((address,address,uint24,int24,address),bool,uint128,uint128,bytes)"
_V2_COMMAND, _V3_COMMAND, _V4_COMMAND = 0x08, 0x00, 0x10
_SWAP_EXACT_IN_SINGLE, _SETTLE_ALL, _TAKE_ALL = 0x06, 0x0C, 0x0F


Swap = Callable[[str, Token, Token, int], None]


class Swapper(RealPools):
    """The trader, who sells a fixed worth in each pool and counts what it gets."""

    evm: LocalEvm

    @property
    def trader(self) -> Address:
        return self.deployment.trader

    @property
    def router(self) -> Address:
        return self.get_contract("universal_router", "router")

    def allow(self, token: Token, spender: Address) -> None:
        approve(self.evm, token, self.trader, spender)

    def allow_universal_router(self, token: Token) -> None:
        self.allow(token, PERMIT2)
        grant = _PERMIT2_APPROVE.encode(token.address, self.router, MAX_UINT160, DEADLINE)
        self.evm.call(self.trader, PERMIT2, grant)

    def held(self, token: Token) -> int:
        """Count ether as wrapped ether."""
        ether = self.evm.get_balance(self.trader) if token.symbol == "WETH" else 0
        return ether + get_balance(self.evm, token, self.trader)

    def execute(self, command: int, swap: bytes, value_wei: int = 0) -> None:
        self.evm.call(
            self.trader, self.router, _EXECUTE.encode(bytes([command]), [swap], DEADLINE), value_wei
        )

    def sides(self, kind: str) -> Iterator[tuple[str, Token, Token, int]]:
        for key in self.deployment.pools:
            if key.startswith(f"{kind}:"):
                for token_in, token_out in permutations(self.get_tokens(key), 2):
                    yield key, token_in, token_out, get_amount(token_in, AMOUNT_USD)


@pytest.fixture
def swapper(deployed: tuple[LocalEvm, object], real_pools: RealPools) -> Iterator[Swapper]:
    evm = deployed[0]
    mark = evm.snapshot()
    yield Swapper(evm, real_pools.deployment)
    evm.revert(mark)


def check_each_pool(swapper: Swapper, kind: str, swap: Swap) -> int:
    """Swap in each pool and direction; return how many were compared."""
    compared = 0
    for key, token_in, token_out, amount in swapper.sides(kind):
        quoted = swapper.quote(key, token_in, token_out, amount)
        held_in, held_out = swapper.held(token_in), swapper.held(token_out)
        swap(key, token_in, token_out, amount)
        assert held_in - swapper.held(token_in) == amount, key
        assert swapper.held(token_out) - held_out == quoted, key
        compared += 1
    return compared


def test_uniswap_v2_router_swaps_what_it_quotes(swapper: Swapper) -> None:
    router = swapper.get_contract("uniswap_v2", "router")

    def swap(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        path = (token_in.address, token_out.address)
        swapper.allow(token_in, router)
        swapper.evm.call(swapper.trader, router, _V2_ROUTER.encode(amount, 0, path, swapper.trader, DEADLINE))

    assert check_each_pool(swapper, "uniswap_v2", swap) == 10


def test_swap_router_02_swaps_v2_pairs_as_the_v2_router_quotes(swapper: Swapper) -> None:
    router = swapper.get_contract("uniswap_v3", "swap_router")

    def swap(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        swapper.allow(token_in, router)
        path = (token_in.address, token_out.address)
        swapper.evm.call(swapper.trader, router, _ROUTER02_V2.encode(amount, 0, path, swapper.trader))

    assert check_each_pool(swapper, "uniswap_v2", swap) == 10


def test_swap_router_02_swaps_v3_pools_as_quoter_v2_quotes(swapper: Swapper) -> None:
    router = swapper.get_contract("uniswap_v3", "swap_router")

    def swap(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        swapper.allow(token_in, router)
        (fee,) = swapper.ask(to_address(key.split(":")[1]), _FEE)
        order = (token_in.address, token_out.address, fee, swapper.trader, amount, 0, 0)
        swapper.evm.call(swapper.trader, router, _ROUTER02_V3.encode(order))

    assert check_each_pool(swapper, "uniswap_v3", swap) == 20


def test_universal_router_swaps_v4_pools_as_v4_quoter_quotes(swapper: Swapper) -> None:
    swapper.evm.set_balance(swapper.trader, 10**24)

    def swap(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        pool = swapper.get_v4_key(key.split(":")[1])
        currency_in, currency_out = (
            ZERO_ADDRESS if token.symbol == "WETH" and pool[0] == ZERO_ADDRESS else token.address
            for token in (token_in, token_out)
        )
        if currency_in != ZERO_ADDRESS:
            swapper.allow_universal_router(token_in)
        zero_for_one = to_address(pool[0]) == currency_in
        steps = [
            encode([_V4_EXACT_IN], [(pool, zero_for_one, amount, 0, b"")]),
            encode(["address", "uint256"], [currency_in, amount]),
            encode(["address", "uint256"], [currency_out, 0]),
        ]
        actions = bytes([_SWAP_EXACT_IN_SINGLE, _SETTLE_ALL, _TAKE_ALL])
        value_wei = amount if currency_in == ZERO_ADDRESS else 0
        swapper.execute(_V4_COMMAND, encode(["bytes", "bytes[]"], [actions, steps]), value_wei)

    assert check_each_pool(swapper, "uniswap_v4", swap) == 10


def test_universal_router_finds_v2_pairs_and_v3_pools_by_their_code_hashes(swapper: Swapper) -> None:
    def swap_v2(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        swapper.allow_universal_router(token_in)
        path = [token_in.address, token_out.address]
        kinds = ["address", "uint256", "uint256", "address[]", "bool", "uint256[]"]
        swapper.execute(_V2_COMMAND, encode(kinds, [swapper.trader, amount, 0, path, True, []]))

    def swap_v3(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        swapper.allow_universal_router(token_in)
        (fee,) = swapper.ask(to_address(key.split(":")[1]), _FEE)
        path = bytes.fromhex(token_in.address[2:]) + fee.to_bytes(3) + bytes.fromhex(token_out.address[2:])
        kinds = ["address", "uint256", "uint256", "bytes", "bool", "uint256[]"]
        swapper.execute(_V3_COMMAND, encode(kinds, [swapper.trader, amount, 0, path, True, []]))

    assert check_each_pool(swapper, "uniswap_v2", swap_v2) == 10
    assert check_each_pool(swapper, "uniswap_v3", swap_v3) == 20


@pytest.mark.parametrize(("kind", "sides"), [("balancer_weighted", 10), ("balancer_stable", 2)])
def test_balancer_vault_swaps_what_the_queries_say(swapper: Swapper, kind: str, sides: int) -> None:
    vault = swapper.get_contract("balancer_v2", "vault")

    def swap(key: str, token_in: Token, token_out: Token, amount: int) -> None:
        swapper.allow(token_in, vault)
        pool_id = swapper.get_pool_id(key.split(":")[1])
        order = (pool_id, 0, token_in.address, token_out.address, amount, b"")
        funds = (swapper.trader, False, swapper.trader, False)
        swapper.evm.call(swapper.trader, vault, _VAULT_SWAP.encode(order, funds, 0, DEADLINE))

    assert check_each_pool(swapper, kind, swap) == sides


def test_permit2_has_the_domain_separator_of_the_chain(swapper: Swapper) -> None:
    domain = keccak(text="EIP712Domain(string name,uint256 chainId,address verifyingContract)")
    fields = [domain, keccak(text="Permit2"), 1337, PERMIT2]
    expected = keccak(encode(["bytes32", "bytes32", "uint256", "address"], fields))
    assert swapper.ask(PERMIT2, _DOMAIN_SEPARATOR) == (expected,)


def test_uniswap_v3_router_without_allowance_reverts_with_the_tokens_reason(swapper: Swapper) -> None:
    key, token_in, token_out, amount = next(swapper.sides("uniswap_v3"))
    (fee,) = swapper.ask(to_address(key.split(":")[1]), _FEE)
    order = (token_in.address, token_out.address, fee, swapper.trader, amount, 0, 0)
    with pytest.raises(RevertError) as revert:
        swapper.evm.call(
            swapper.trader, swapper.get_contract("uniswap_v3", "swap_router"), _ROUTER02_V3.encode(order)
        )
    assert revert.value.arguments == ("STF",)
