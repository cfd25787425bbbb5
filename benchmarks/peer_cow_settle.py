"""CoW's settlement contract as it is published, settling the same orders."""

from __future__ import annotations

from typing import Any, Final

from eth_abi import encode

from benchmarks.settle_parties import MATCHER, UNIT, Parties
from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Address, address_bytes, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.hashing import keccak

PACKAGE: Final = "@cowprotocol/contracts"
_TRADE: Final = "(uint256,uint256,address,uint256,uint256,uint32,bytes32,uint256,uint256,uint256,bytes)"
_SETTLE: Final = Function(f"settle(address[],uint256[],{_TRADE}[],(address,uint256,bytes)[][3])")
_RELAYER: Final = Function("vaultRelayer()", "(address)")
_SEPARATOR: Final = Function("domainSeparator()", "(bytes32)")
_INVALIDATE: Final = Function("invalidateOrder(bytes)")
_ADD_SOLVER: Final = Function("addSolver(address)")
_INITIALIZE: Final = Function("initializeManager(address)")
_ORDER_TYPE: Final = keccak(
    b"Order(address sellToken,address buyToken,address receiver,uint256 sellAmount,uint256 buyAmount,"
    b"uint32 validTo,bytes32 appData,uint256 feeAmount,string kind,bool partiallyFillable,"
    b"string sellTokenBalance,string buyTokenBalance)"
)
_FIELDS: Final = ("bytes32",) + ("address",) * 3 + ("uint256",) * 2 + ("uint32", "bytes32", "uint256")
_SELL, _ERC20 = keccak(b"sell"), keccak(b"erc20")
_VALID_TO: Final = 2**32 - 1


class CowSettlement:
    """The contract with its authenticator behind the proxy of its deployment, and the matcher as solver."""

    def __init__(self, parties: Parties) -> None:
        self._parties, evm = parties, parties.evm
        authenticator = read_contract(PACKAGE, "lib/contracts/GPv2AllowListAuthentication.json")
        proxy = read_contract(PACKAGE, "deployments/mainnet/GPv2AllowListAuthentication_Proxy.json")
        logic = evm.deploy(authenticator.creation_code())
        solvers = evm.deploy(proxy.creation_code(logic, DEPLOYER, _INITIALIZE.encode(DEPLOYER)))
        evm.call(DEPLOYER, solvers, _ADD_SOLVER.encode(MATCHER))
        code = read_contract(PACKAGE, "lib/contracts/GPv2Settlement.json")
        self.address = evm.deploy(code.creation_code(solvers, ZERO_ADDRESS))
        (relayer,) = _RELAYER.decode(evm.static_call(self.address, _RELAYER.encode()))
        (self._separator,) = _SEPARATOR.decode(evm.static_call(self.address, _SEPARATOR.encode()))
        parties.allow(to_address(relayer))
        parties.give(self.address, 10**21)

    def batch(self, count: int, number: int) -> int:
        """Return the gas of a batch of ``count`` orders, each for the other token at one to one."""
        owners = self._parties.owners[:count]
        trades = [self._trade(owner, place % 2, number) for place, owner in enumerate(owners)]
        call = _SETTLE.encode(list(self._parties.tokens), [1, 1], trades, [[], [], []])
        return self._parties.gas(self.address, call)

    def cancel(self, number: int) -> int:
        """Return the gas of an owner's cancelling one order."""
        owner = self._parties.owners[0]
        digest = self._digest(owner, 0, number)
        uid = digest + address_bytes(owner) + _VALID_TO.to_bytes(4)
        return self._parties.gas(self.address, _INVALIDATE.encode(uid), owner)

    def _digest(self, owner: Address, side: int, number: int) -> bytes:
        tokens = self._parties.tokens
        sides = (tokens[side], tokens[1 - side], ZERO_ADDRESS)
        terms = (UNIT, UNIT, _VALID_TO, number.to_bytes(32), 0)
        values = (_ORDER_TYPE, *sides, *terms, _SELL, False, _ERC20, _ERC20)
        hashed = keccak(encode([*_FIELDS, "bytes32", "bool", "bytes32", "bytes32"], values))
        return keccak(b"\x19\x01" + self._separator + hashed)

    def _trade(self, owner: Address, side: int, number: int) -> tuple[Any, ...]:
        key = self._parties.keys[owner]
        packed = key.sign_recoverable(self._digest(owner, side, number), hasher=None)
        signature = packed[:64] + bytes((27 + packed[64],))
        amounts = (UNIT, UNIT, _VALID_TO, number.to_bytes(32), 0)
        return (side, 1 - side, ZERO_ADDRESS, *amounts, 0, UNIT, signature)
