"""A market on a local chain that trades at whatever the order says: three stub contracts.

The tokens log any transfer that they are told, the router tells two of them; so a receipt looks
like a swap's, and what an order moved can be counted from the chain's logs alone.
"""

from __future__ import annotations

from functools import cache

from coincurve import PrivateKey

from oms.builders import CHAIN_ID, KEEPER, TRANSFER, USDC, WETH, make_approved, make_plan, sign_plan
from onchain_exec.chain import LocalChain
from onchain_exec.core import Address, Order, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.execution.plan import DurableTx, Fees, Purpose, SignedTx
from onchain_exec.execution.signers.signature import Signature
from onchain_exec.execution.signers.transaction import UnsignedTx

ROUTER = to_address("0x" + "33" * 20)

# amount = data[64:], to = data[32:], from = data[0:]: log Transfer(from, to, amount)
_TOKEN = bytes.fromhex("6040355f52" + "602035" + "5f35" + "7f" + TRANSFER.hex() + "60205fa300")

# called without data: keep the value; with data, while the kept value is not 0: revert
_GATE = "36600857345f55005b" + "5f54156012575f5ffd5b"

# copy the calldata to memory, call data[0:] with the next 96 bytes, data[128:] likewise; then revert
# unless that was all
_CALL = "5f5f6060{arguments}5f{target}5af150"
_ROUTER = bytes.fromhex(
    _GATE
    + "365f5f37"
    + _CALL.format(arguments="6020", target="5f35")
    + _CALL.format(arguments="60a0", target="608035")
    + "3661010014603b575f5ffd5b00"
)


def open_market(chain: LocalChain) -> None:
    """Put the contracts in their places."""
    for token in (WETH, USDC):
        chain.set_code(token.address, _TOKEN)
    chain.set_code(ROUTER, _ROUTER)


def sign_swap(key: str, order: Order, nonce: int, amount_out: int, *, reverts: bool = False) -> SignedTx:
    """Return a signed swap of the whole order for ``amount_out``."""
    data = (
        _word(WETH.address) + _word(order.account) + _word(KEEPER) + order.amount.to_bytes(32, "big")
        + _word(USDC.address) + _word(KEEPER) + _word(order.recipient) + amount_out.to_bytes(32, "big")
    )  # fmt: skip
    plan = make_plan(make_approved(order), Purpose.SWAP, order.account)
    return sign_plan(plan, nonce, sign_raw(key, nonce, ROUTER, data + b"\1" * reverts))


def sign_cancel(key: str, durable: DurableTx) -> SignedTx:
    """Return a transfer of nothing to oneself on the same nonce, at twice the fee."""
    plan = make_plan(durable, Purpose.CANCEL, durable.sender)
    raw = sign_raw(key, durable.nonce, durable.sender, b"", tip_wei=4 * 10**9)
    return sign_plan(plan, durable.nonce, raw)


def sign_gate(key: str, nonce: int) -> bytes:
    """Return a transaction after which every swap reverts."""
    return sign_raw(key, nonce, ROUTER, b"", value_wei=1)


def sign_raw(
    key: str, nonce: int, to: Address, data: bytes, tip_wei: int = 2 * 10**9, value_wei: int = 0
) -> bytes:
    """Return a signed EIP-1559 transaction."""
    fees = Fees(10**11 + tip_wei, tip_wei)
    tx = UnsignedTx(CHAIN_ID, nonce, fees, gas_limit=200_000, to=to, value_wei=value_wei, data=data)
    signature = _get_private(key).sign_recoverable(tx.signing_hash, hasher=None)
    return tx.encode(Signature.from_bytes(signature))


@cache
def _get_private(key: str) -> PrivateKey:
    return PrivateKey.from_hex(key.removeprefix("0x"))


def count_fills(chain: LocalChain, recipient: Address) -> int:
    """Return how often the chain paid USDC to ``recipient``."""
    logs = chain.request(
        "eth_getLogs",
        {
            "fromBlock": "0x0",
            "address": USDC.address,
            "topics": ["0x" + TRANSFER.hex(), None, "0x" + _word(recipient).hex()],
        },
    )
    return len(logs)


def recipient_of(intent: int) -> Address:
    """Return an address that only this intent pays."""
    return to_address(keccak(f"intent {intent}".encode())[:20])


def _word(address: Address) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
