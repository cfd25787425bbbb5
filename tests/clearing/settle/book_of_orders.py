"""Owners with keys, random orders of theirs, and the contract on an EVM in this process."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from coincurve import PrivateKey
from eth_abi import encode

from onchain_exec.clearing.settle import Domain, Flags, Scheme, SettleFill, SettleOrder, Signed
from onchain_exec.clearing.settle.replica import SettleState
from onchain_exec.core import ZERO_ADDRESS, Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.core.ecdsa import get_key_address
from onchain_exec.testing.evm import LocalEvm

CHAIN_ID: Final = 1337
NOW: Final = 1_700_000_000
SUNSET_AT: Final = NOW + 10**6
MATCHER: Final = to_address("0x" + "aa" * 20)
RICH: Final = 10**24
_MINT: Final = Function("mint(address,uint256)")
_APPROVE: Final = Function("approve(address,uint256)")
_BALANCE: Final = Function("balanceOf(address)", "(uint256)")


@dataclass(frozen=True)
class Stage:
    """The contract, three tokens in ascending order, and owners who hold and allow ``RICH`` of each."""

    evm: LocalEvm
    domain: Domain
    tokens: tuple[Address, ...]
    keys: dict[Address, PrivateKey]

    @property
    def owners(self) -> list[Address]:
        return list(self.keys)

    def sign(self, order: SettleOrder, key: PrivateKey | None = None) -> Signed:
        """Sign for the owner, or with another's key."""
        signer, digest = key or self.keys[order.owner], self.domain.get_digest(order)
        return Signed.by_key(signer.sign_recoverable(digest, hasher=None))

    def balance(self, token: Address, account: Address) -> int:
        answer = self.evm.static_call(token, _BALANCE.encode(account))
        return int(_BALANCE.decode(answer)[0])


def set_stage(owners: int = 6) -> Stage:
    evm = LocalEvm(chain_id=CHAIN_ID, timestamp=NOW)
    arguments = encode(["address", "uint256", "uint256"], [ZERO_ADDRESS, NOW, SUNSET_AT])
    contract = evm.deploy(get_artifact("Settle").bytecode + arguments)
    code = get_artifact("PlainToken").bytecode
    tokens = tuple(sorted((evm.deploy(code) for _ in range(3)), key=str.lower))
    keys = {}
    for number in range(owners):
        key = PrivateKey((number + 1).to_bytes(32))
        owner = get_key_address(key.public_key.format(compressed=False))
        keys[owner] = key
    for account in (*keys, MATCHER):
        for token in tokens:
            evm.call(account, token, _MINT.encode(account, RICH))
            evm.call(account, token, _APPROVE.encode(contract, 2**256 - 1))
    return Stage(evm, Domain(CHAIN_ID, contract), tokens, keys)


def make_order(
    stage: Stage, dice: random.Random, owner: Address, token_in: Address, state: SettleState
) -> SettleOrder:
    """Return an order of any kind, at a price near one; mostly the next on its lane."""
    lane = dice.randrange(2)
    others = [token for token in stage.tokens if token != token_in]
    size = dice.randrange(1, 10 ** dice.randrange(1, 19))
    return SettleOrder(
        owner=owner,
        token_in=token_in,
        token_out=dice.choice(others),
        amount_in=size,
        amount_out=max(1, size * dice.randrange(90, 101) // 100),
        deadline_at=NOW + dice.randrange(100),
        seq=max(0, state.lane(owner, lane).seq + dice.choice((1, 1, 1, 1, 0, -1))),
        lane=lane,
        max_fee_bps=dice.choice((0, 10, 500)),
        receiver=dice.choice((ZERO_ADDRESS, owner, dice.choice(stage.owners))),
        matcher=dice.choice((ZERO_ADDRESS, MATCHER)),
        flags=Flags(dice.choice((0, 0, 1, 2, 3))),
    )


def make_fill(stage: Stage, dice: random.Random, order: SettleOrder) -> SettleFill:
    """Return a fill of it that its terms allow, but for what other fills of its lane have taken."""
    part = order.amount_in if Flags.FILL_OR_KILL in order.flags else dice.randrange(1, order.amount_in + 1)
    amount_out = -(-order.amount_out * part // order.amount_in)  # rounded up, for the owner
    fee = dice.randrange(amount_out * order.max_fee_bps // 10_000 + 1)
    return SettleFill(order, stage.sign(order), part, amount_out, fee)


def break_fill(stage: Stage, dice: random.Random, fill: SettleFill) -> SettleFill:
    """Return the fill with one thing about it changed, signed or not."""
    order = fill.order
    changed = dice.choice(
        (
            lambda: replace(order, deadline_at=NOW - 1),
            lambda: replace(order, amount_out=order.amount_out + 1 + order.amount_out // 50),
            lambda: replace(order, matcher=dice.choice(stage.owners)),
            lambda: replace(order, flags=order.flags ^ Flags(dice.randrange(1, 4))),
            lambda: replace(order, owner=dice.choice(stage.owners)),
            lambda: replace(order, max_fee_bps=0),
        )
    )()
    return dice.choice(
        (
            lambda: replace(fill, order=changed),
            lambda: replace(fill, order=changed, signed=stage.sign(changed)),
            lambda: replace(fill, signed=stage.sign(order, dice.choice(list(stage.keys.values())))),
            lambda: replace(fill, signed=Signed(Scheme.PRESIGN)),
            lambda: replace(fill, signed=Signed(Scheme.ERC1271, b"x")),
            lambda: replace(fill, amount_in=fill.amount_in + 1),
            lambda: replace(fill, amount_in=0),
            lambda: replace(fill, amount_out=0),
            lambda: replace(fill, fee=fill.fee + 1 + fill.amount_out // 10),
        )
    )()
