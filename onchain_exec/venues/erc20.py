"""ERC-20 tokens: their facts, balances and allowances as reads, their movements from logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Answer, Call, Log, Reading, Token, all_of, to_address
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import InputError, TokenRefusedError, UnknownTokenError
from onchain_exec.venues.answer import decode_answer

BALANCE_OF: Final = Function("balanceOf(address)", "(uint256)")
ALLOWANCE: Final = Function("allowance(address,address)", "(uint256)")
APPROVE: Final = Function("approve(address,uint256)", "(bool)")
TRANSFER: Final = Event("Transfer(address,address,uint256)", ("address", "address"), ("uint256",))
DEPOSIT: Final = Event("Deposit(address,uint256)", ("address",), ("uint256",))
WITHDRAWAL: Final = Event("Withdrawal(address,uint256)", ("address",), ("uint256",))

_SYMBOL: Final = Function("symbol()", "(string)")
_DECIMALS: Final = Function("decimals()", "(uint256)")
_LONGEST_SYMBOL: Final = 64


def read_token(address: Address, listed: Token | None = None) -> Reading[Token]:
    """Read what a token says of itself; ``listed`` is what a list says of it, if there is one.

    Raises:
        UnknownTokenError: no token stands at the address.
        TokenRefusedError: it has no usable decimals or symbol, or other decimals than listed.
    """
    snapshot = yield (Call(address, _DECIMALS.encode()), Call(address, _SYMBOL.encode()))
    decimals_answer, symbol_answer = snapshot.answers
    decimals = _decode_decimals(address, decimals_answer, symbol_answer)
    if listed is not None and listed.decimals != decimals:
        raise TokenRefusedError(
            f"{listed} at {address} has {decimals} decimals on chain",
            needed=f"{listed.decimals} decimals, as listed",
            todo="Find out which is wrong before trading: amounts would be off by powers of ten",
        )
    return Token(snapshot.block.chain_id, address, _decode_symbol(address, symbol_answer), decimals)


def read_tokens(
    addresses: Iterable[Address], known: Mapping[Address, Token] | None = None
) -> Reading[tuple[Token, ...]]:
    """Read several tokens in one round, in their order; those already ``known`` are not read."""
    tokens = dict(known or {})
    wanted = list(addresses)
    unread = [address for address in dict.fromkeys(wanted) if address not in tokens]
    if unread:
        read = yield from all_of([read_token(address) for address in unread])
        tokens.update(zip(unread, read, strict=True))
    return tuple(tokens[address] for address in wanted)


def read_balances(owner: Address, tokens: Iterable[Token]) -> Reading[tuple[int, ...]]:
    """Read how much of each token ``owner`` holds, in base units."""
    addresses = [token.address for token in tokens]
    snapshot = yield tuple(Call(address, BALANCE_OF.encode(owner)) for address in addresses)
    return tuple(
        decode_answer(BALANCE_OF, address, answer)[0]
        for address, answer in zip(addresses, snapshot.answers, strict=True)
    )


def read_allowance(token: Token, owner: Address, spender: Address) -> Reading[int]:
    """Read how much of ``token`` ``spender`` may pull from ``owner``, in base units."""
    snapshot = yield (Call(token.address, ALLOWANCE.encode(owner, spender)),)
    allowance: int = decode_answer(ALLOWANCE, token.address, snapshot.answers[0])[0]
    return allowance


def get_balance_changes(logs: Iterable[Log], owner: Address) -> dict[Address, int]:
    """Return by how much each token balance of ``owner`` changed, in base units; no zeros.

    Counts ``Transfer`` and, for wrapped native currency, ``Deposit`` and ``Withdrawal``; where a
    wrapper writes a mint or burn ``Transfer`` beside these, the two count once.
    """
    changes: Counter[Address] = Counter()
    minted: Counter[tuple[Address, int]] = Counter()
    wrapped: Counter[tuple[Address, int]] = Counter()
    for log in logs:
        if _is(log, TRANSFER):
            sender, receiver = (to_address(word[12:]) for word in log.topics[1:])
            amount = int.from_bytes(log.data)
            moved = amount * ((receiver == owner) - (sender == owner))
            changes[log.address] += moved
            if ZERO_ADDRESS in (sender, receiver):
                minted[log.address, moved] += 1
        elif (_is(log, DEPOSIT) or _is(log, WITHDRAWAL)) and to_address(log.topics[1][12:]) == owner:
            sign = 1 if log.topics[0] == DEPOSIT.topic else -1
            wrapped[log.address, sign * int.from_bytes(log.data)] += 1
    for (token, amount), times in wrapped.items():
        changes[token] += amount * max(0, times - minted[token, amount])
    return {token: change for token, change in changes.items() if change}


def _is(log: Log, event: Event) -> bool:
    """Return whether a log is ``event`` with just its fields: an NFT's Transfer has one topic more."""
    return (
        log.topics[:1] == (event.topic,) and len(log.topics) == 1 + len(event.indexed) and len(log.data) == 32
    )


def _decode_decimals(address: Address, answer: Answer, symbol_answer: Answer) -> int:
    if not answer.success or len(answer.data) < 32:
        if symbol_answer.success and symbol_answer.data:
            raise TokenRefusedError(f"the token at {address} does not tell its decimals", needed="decimals()")
        raise UnknownTokenError(
            f"no token answers at {address}",
            needed="an ERC-20 contract",
            todo="Check the address and the chain",
        )
    decimals: int = _DECIMALS.decode(answer.data)[0]
    if decimals > 255:
        raise TokenRefusedError(f"the token at {address} claims {decimals} decimals", needed="0 to 255")
    return decimals


def _decode_symbol(address: Address, answer: Answer) -> str:
    """Return a symbol given as string, or as bytes32 by tokens from before the standard."""
    symbol = ""
    if answer.success and len(answer.data) == 32:
        symbol = answer.data.rstrip(b"\0").decode(errors="replace")
    elif answer.success:
        try:
            symbol = _SYMBOL.decode(answer.data)[0]
        except InputError:
            symbol = ""
    if not symbol or len(symbol) > _LONGEST_SYMBOL or not symbol.isprintable() or "\ufffd" in symbol:
        raise TokenRefusedError(
            f"the token at {address} has no readable symbol: {symbol!r}",
            needed=f"printable text of at most {_LONGEST_SYMBOL} characters",
        )
    return symbol
