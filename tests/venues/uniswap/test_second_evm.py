"""The same bytecode on another EVM, py-evm through eth-tester: what the models say does not hang on one."""

from __future__ import annotations

import random
import warnings

import pytest
from eth_abi import encode

from onchain_exec.app.sandbox.deploy.uniswap_v2 import deploy_uniswap_v2
from onchain_exec.core import Address, Exact, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

NEVER = 2**63
_GAS = 10_000_000
_MINT = Function("mint(address,uint256)")
_CREATE_PAIR = Function("createPair(address,address)", "(address)")
_GET_PAIR = Function("getPair(address,address)", "(address)")
_MINT_PAIR = Function("mint(address)", "(uint256)")
_QUOTE = {
    Exact.IN: Function("getAmountsOut(uint256,address[])", "(uint256[])"),
    Exact.OUT: Function("getAmountsIn(uint256,address[])", "(uint256[])"),
}


class EthTesterEvm:
    """An `Evm` without what py-evm cannot do: other people's accounts, balances or code by decree."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # py-evm's own imports warn on this Python
            import eth_tester  # noqa: PLC0415 - it takes a second, of each process that collects tests
        self.reverted = eth_tester.exceptions.TransactionFailed
        self._tester = eth_tester.EthereumTester(eth_tester.PyEVMBackend())
        self.sender = to_address(self._tester.get_accounts()[0])

    def deploy(self, creation_code: bytes, sender: Address | None = None) -> Address:
        receipt = self._send({"data": "0x" + creation_code.hex()})
        return to_address(receipt["contract_address"])

    def call(self, sender: Address, to: Address, data: bytes, value_wei: int = 0) -> None:
        self._send({"to": to, "data": "0x" + data.hex(), "value": value_wei})

    def static_call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        answer = self._tester.call(
            {"from": self.sender, "to": to, "data": "0x" + data.hex(), "gas": _GAS, "gas_price": 10**10}
        )
        return bytes.fromhex(answer[2:])

    def set_balance(self, address: Address, balance_wei: int) -> None:
        raise NotImplementedError

    def set_code(self, address: Address, runtime_code: bytes) -> None:
        raise NotImplementedError

    def _send(self, transaction: dict[str, object]) -> dict[str, str]:
        fields = {"from": self.sender, "gas": _GAS, "gas_price": 10**10, "value": 0}
        tx_hash = self._tester.send_transaction(fields | transaction)
        receipt: dict[str, str] = self._tester.get_transaction_receipt(tx_hash)
        assert receipt["status"] == 1
        return receipt


@pytest.fixture(scope="module")
def evm() -> EthTesterEvm:
    return EthTesterEvm()


@pytest.fixture(scope="module")
def router_and_pool(evm: EthTesterEvm) -> tuple[Address, UniswapV2Pool]:
    """A pair with uneven reserves, and the router that quotes it."""
    tokens = []
    for symbol in ("AAA", "BBB"):
        arguments = encode(["string", "string", "uint8"], [symbol, symbol, 18])
        address = evm.deploy(get_artifact("TestToken").bytecode + arguments)
        tokens.append(Token(1337, address, symbol, 18))
    token0, token1 = sorted(tokens, key=lambda token: token.address.lower())
    contracts = deploy_uniswap_v2(evm, token0.address)
    evm.call(evm.sender, contracts["factory"], _CREATE_PAIR.encode(token0.address, token1.address))
    answer = evm.static_call(contracts["factory"], _GET_PAIR.encode(token0.address, token1.address))
    pair = to_address(_GET_PAIR.decode(answer)[0])
    reserves = 123_456_789 * 10**15, 987_654_321 * 10**9
    for token, reserve in zip((token0, token1), reserves, strict=True):
        evm.call(evm.sender, token.address, _MINT.encode(pair, reserve))
    evm.call(evm.sender, pair, _MINT_PAIR.encode(evm.sender))
    return contracts["router"], UniswapV2Pool(pair, token0, token1, *reserves)


def test_quote_random_amounts_equals_the_router_on_py_evm(
    evm: EthTesterEvm, router_and_pool: tuple[Address, UniswapV2Pool]
) -> None:
    router, pool = router_and_pool
    rng = random.Random("py-evm")
    for _ in range(150):
        pair = (pool.token0, pool.token1) if rng.random() < 0.5 else (pool.token1, pool.token0)
        exact, amount = rng.choice(list(Exact)), int(10 ** rng.uniform(0, 28))
        call = _QUOTE[exact].encode(amount, [token.address for token in pair])
        try:
            amounts = _QUOTE[exact].decode(evm.static_call(router, call))[0]
        except evm.reverted:
            amounts = (0, 0)
        other = amounts[1 if exact is Exact.IN else 0]
        if other:
            assert pool.quote(*pair, amount, exact) == other
        else:  # the router quotes nothing for dust; the pair then reverts
            with pytest.raises(PoolRevertError):
                pool.quote(*pair, amount, exact)
