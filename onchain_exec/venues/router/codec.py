"""The calls of our Router as values, to calldata and back."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import Address, Comparison, Condition, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError

TERMS_TYPE: Final = "(address,address,uint256,uint256,address,uint256)"
HOPS_TYPE: Final = "(uint8,uint8,uint8,bool,address,address,address,uint256,bytes32)[]"
_CHECKS: Final = "(address,bytes,uint256,uint8,uint256)[]"
_PERMIT: Final = "(address,uint256,bytes)"
_SWAP: Final = Function(f"swap({TERMS_TYPE},{HOPS_TYPE},{_CHECKS})", "(uint256,uint256)")
_SWAP_BASKET: Final = Function(
    f"swapBasket({TERMS_TYPE},(address,uint256)[],{HOPS_TYPE},{_CHECKS})", "(uint256,uint256)"
)
_SWAP_WITH_PERMIT: Final = Function(
    f"swapWithPermit({TERMS_TYPE},{HOPS_TYPE},{_CHECKS},{_PERMIT})", "(uint256,uint256)"
)
_WORD: Final = 1 << 256


class Venue(enum.IntEnum):
    """Where a hop swaps (``IRouter.Venue``)."""

    UNISWAP_V2 = 0
    UNISWAP_V3 = 1
    UNISWAP_V4 = 2
    BALANCER_V2 = 3
    CURVE = 4
    SOLIDLY = 5
    WRAP = 6
    UNWRAP = 7
    VAULT = 8


class Input(enum.IntEnum):
    """Who pays a hop (``IRouter.Input``)."""

    PAYER = 0
    """The caller, by its allowance to the router."""
    ROUTER = 1
    """The router, of what it got earlier in the same call."""
    POOL = 2
    """Nobody any more: the hop before has sent it to the pool, or left it in v4's PoolManager."""


class Output(enum.IntEnum):
    """Who gets what a hop gives (``IRouter.Output``)."""

    RECIPIENT = 0
    ROUTER = 1
    NEXT_POOL = 2


@dataclass(frozen=True, slots=True)
class RouterTerms:
    """What holds for the whole call (``IRouter.Terms``). The zero address is the native coin;
    ``deadline_at`` is unix seconds."""

    token_in: Address
    token_out: Address
    amount_in_max: int
    amount_out_min: int
    recipient: Address
    deadline_at: int


@dataclass(frozen=True, slots=True)
class RouterHop:
    """One swap (``IRouter.Hop``, which says what ``pool`` and ``data`` are at each venue).

    ``amount`` is base units of token_out if ``exact_out``, else of token_in, with 0 for all that is
    left of it. ``data`` is the word as a number.
    """

    venue: Venue
    input: Input
    output: Output
    exact_out: bool
    pool: Address
    token_in: Address
    token_out: Address
    amount: int
    data: int


@dataclass(frozen=True, slots=True)
class RouterPermit:
    """The owner's signature for Permit2 that binds the whole call; see `permit.get_permit_digest`."""

    owner: Address
    nonce: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class RouterCall:
    """One swap: hops in their order, then conditions, all or nothing. Without a ``permit`` it takes the
    caller's tokens by allowance, or the call's value. ``more`` is what it takes of the caller's beside the
    terms' token_in: tokens and amounts, by allowance alone."""

    terms: RouterTerms
    hops: tuple[RouterHop, ...]
    conditions: tuple[Condition, ...] = ()
    permit: RouterPermit | None = None
    more: tuple[tuple[Address, int], ...] = ()

    def __post_init__(self) -> None:
        if self.permit is not None and self.more:
            raise InputError("a basket by permit", needed="allowances, or a basket of one token")


def encode_router_call(call: RouterCall) -> bytes:
    """Return the calldata of ``swap``, of ``swapBasket``, or with a permit of ``swapWithPermit``."""
    terms = get_terms_tuple(call.terms)
    run = get_hop_tuples(call.hops), _condition_tuples(call.conditions)
    if call.more:
        return _SWAP_BASKET.encode(terms, list(call.more), *run)
    if call.permit is None:
        return _SWAP.encode(terms, *run)
    permit = (call.permit.owner, call.permit.nonce, call.permit.signature)
    return _SWAP_WITH_PERMIT.encode(terms, *run, permit)


def decode_router_call(calldata: bytes) -> RouterCall:
    """Return what `encode_router_call` encoded.

    Raises:
        InputError: other calldata, or a venue, input, output or comparison that is none.
    """
    permit: RouterPermit | None = None
    more: list[tuple[str, int]] = []
    if calldata[:4] == _SWAP_BASKET.selector:
        terms, more, hops, checks = _SWAP_BASKET.decode_arguments(calldata)
    elif calldata[:4] == _SWAP_WITH_PERMIT.selector:
        terms, hops, checks, (owner, nonce, signature) = _SWAP_WITH_PERMIT.decode_arguments(calldata)
        permit = RouterPermit(to_address(owner), nonce, signature)
    else:
        terms, hops, checks = _SWAP.decode_arguments(calldata)
    try:
        return RouterCall(
            decode_terms(*terms),
            tuple(decode_hop(*hop) for hop in hops),
            tuple(_decode_condition(*check) for check in checks),
            permit,
            tuple((to_address(token), amount) for token, amount in more),
        )
    except ValueError as error:
        raise InputError(f"calldata of the router with {error}") from error


def hash_hops(hops: tuple[RouterHop, ...]) -> bytes:
    """Return the ``hopsHash`` that a permit signs."""
    return keccak(encode([HOPS_TYPE], [get_hop_tuples(hops)]))


def hash_conditions(conditions: tuple[Condition, ...]) -> bytes:
    """Return the ``checksHash`` that a permit signs."""
    return keccak(encode([_CHECKS], [_condition_tuples(conditions)]))


def get_terms_tuple(terms: RouterTerms) -> tuple[Any, ...]:
    """Return the terms as ABI arguments (`TERMS_TYPE`)."""
    return (
        terms.token_in, terms.token_out, terms.amount_in_max, terms.amount_out_min,
        terms.recipient, terms.deadline_at,
    )  # fmt: skip


def get_hop_tuples(hops: tuple[RouterHop, ...]) -> list[tuple[Any, ...]]:
    """Return the hops as ABI arguments (`HOPS_TYPE`)."""
    return [
        (
            hop.venue, hop.input, hop.output, hop.exact_out,
            hop.pool, hop.token_in, hop.token_out, hop.amount, hop.data.to_bytes(32),
        )
        for hop in hops
    ]  # fmt: skip


def _condition_tuples(conditions: tuple[Condition, ...]) -> list[tuple[Any, ...]]:
    return [(held.target, held.data, held.word, held.comparison, held.bound % _WORD) for held in conditions]


def decode_terms(
    token_in: str, token_out: str, amount_in_max: int, amount_out_min: int, recipient: str, deadline_at: int
) -> RouterTerms:
    """Return what `get_terms_tuple` gave."""
    pair = to_address(token_in), to_address(token_out)
    return RouterTerms(*pair, amount_in_max, amount_out_min, to_address(recipient), deadline_at)


def decode_hop(*fields: Any) -> RouterHop:
    """Return one of what `get_hop_tuples` gave.

    Raises:
        ValueError: a venue, input or output that is none.
    """
    venue, source, output, exact_out, pool, token_in, token_out, amount, data = fields
    addresses = to_address(pool), to_address(token_in), to_address(token_out)
    kinds = Venue(venue), Input(source), Output(output)
    return RouterHop(*kinds, exact_out, *addresses, amount, int.from_bytes(data))


def _decode_condition(target: str, data: bytes, word: int, comparison: int, bound: int) -> Condition:
    kind = Comparison(comparison)
    if kind.signed and bound >= _WORD // 2:
        bound -= _WORD
    return Condition(to_address(target), data, kind, bound, word)
