"""Orders, quotes, signed bytes and receipts for tests: the real types, with plain values."""

from __future__ import annotations

from fractions import Fraction

from coincurve import PrivateKey

from onchain_exec.clearing.settle import Signed
from onchain_exec.core import Address, BlockRef, Exact, Log, Order, Receipt, Token, to_address
from onchain_exec.core.hashing import keccak
from onchain_exec.execution.plan import DurableTx, Fees, Purpose, SignedTx, SimulatedTx, TxPlan
from onchain_exec.oms.book.intent_terms import IntentTerms, get_lane
from onchain_exec.oms.book.states import Fate
from onchain_exec.oms.book.views import Consumer, IntentEnd
from onchain_exec.risk import AccountState, Approved, DenialCode, Denied
from onchain_exec.routing import Quote, Route
from onchain_exec.routing.route import Certificate

CHAIN_ID = 1337
TRADER = to_address("0x" + "a1" * 20)
KEEPER = to_address("0x" + "b2" * 20)
SETTLE = to_address("0x" + "c3" * 20)
OWNER_KEY = PrivateKey(keccak(b"an owner of intents"))
OWNER = to_address(keccak(OWNER_KEY.public_key.format(compressed=False)[1:])[12:])
"""Signs intents: the journal asks whose signature one is."""
WETH = Token(CHAIN_ID, to_address("0x" + "11" * 20), "WETH", 18)
USDC = Token(CHAIN_ID, to_address("0x" + "22" * 20), "USDC", 6)
BLOCK = BlockRef(CHAIN_ID, 100, "0x" + "ab" * 32, 1_700_000_000, 10**9, 30_000_000)
TRANSFER = keccak(b"Transfer(address,address,uint256)")


def make_order(number: int = 1, *, client_order_id: str | None = None, **terms: object) -> Order:
    """Return an order to sell 1 WETH; ``terms`` replace what is different."""
    values: dict[str, object] = {
        "account": TRADER,
        "recipient": TRADER,
        "token_in": WETH,
        "token_out": USDC,
        "amount": 10**18,
        "exact": Exact.IN,
        "max_slippage_bps": 50,
        "expires_at": 2_000_000_000,
        **terms,
    }
    key = f"client-{number}" if client_order_id is None else client_order_id
    return Order(order_id=f"order-{number}", client_order_id=key, **values)  # type: ignore[arg-type]


def make_quote(order: Order, amount_out: int = 2_000 * 10**6, block: BlockRef = BLOCK) -> Quote:
    """Return a quote of ``order`` that gives ``amount_out`` for its amount, free of fees."""
    amount_in = order.amount
    route = Route(
        block=block,
        token_in=order.token_in,
        token_out=order.token_out,
        exact=order.exact,
        amount_in=amount_in,
        amount_out=amount_out,
        legs=(),
        best_single_amount=amount_out,
        gas_units=150_000,
        certificate=Certificate(amount_out, {}, ()),
    )
    return Quote(
        order=order,
        route=route,
        mid_price=Fraction(amount_out, amount_in),
        fee_cost=0,
        impact_cost=0,
        gas_cost_wei=10**15,
        gas_cost_out=None,
        amount_out_min=amount_out * (10_000 - order.max_slippage_bps) // 10_000,
        amount_in_max=amount_in,
        made_at=1_700_000_001,
    )


def make_approved(order: Order, quote: Quote | None = None) -> Approved:
    """Return the approval of an order by an account that holds enough."""
    account = AccountState(BLOCK, order.account, 10**30, 10**30, KEEPER, 10**30)
    return Approved(quote or make_quote(order), account)


def make_denied(order: Order) -> Denied:
    """Return a refusal for want of balance."""
    return Denied(order, DenialCode.BALANCE_BELOW_AMOUNT, "0 WETH", "1 WETH", "Fund the account")


def make_plan(
    cause: Approved | DurableTx,
    purpose: Purpose = Purpose.SWAP,
    sender: Address = TRADER,
    block: BlockRef = BLOCK,
) -> TxPlan:
    """Return a plan; what it would call does not matter to the journal."""
    return TxPlan(cause, block, purpose, sender, KEEPER, b"", 0, Fees(2 * 10**9, 10**9))


def sign_plan(plan: TxPlan, nonce: int, raw: bytes | None = None) -> SignedTx:
    """Return bytes that stand for a signature of ``plan`` at ``nonce``."""
    raw = raw or f"{plan.order_id}/{plan.purpose.value}/{nonce}".encode()
    simulated = SimulatedTx(plan, plan.block, 150_000, 200_000, 0, 0, 0, ())
    return SignedTx(simulated, nonce, raw, "0x" + keccak(raw).hex())


def make_signed(order: Order, nonce: int, purpose: Purpose = Purpose.SWAP) -> SignedTx:
    """Return signed bytes of an approved order."""
    return sign_plan(make_plan(make_approved(order), purpose, order.account), nonce)


def make_intent(order: Order, **terms: object) -> IntentTerms:
    """Return the terms of an order's intent, at the bounds of its quote."""
    quote = make_quote(order)
    values: dict[str, object] = {
        "chain_id": CHAIN_ID,
        "contract": SETTLE,
        "lane": get_lane(order.order_id, 0),
        "amount_in": quote.amount_in_max,
        "amount_out": quote.amount_out_min,
        "deadline_at": BLOCK.timestamp + 60,
        "since_block": BLOCK.number,
        **terms,
    }
    return IntentTerms(**values)  # type: ignore[arg-type]


def sign_intent(order: Order, terms: IntentTerms) -> Signed:
    """Return `OWNER`'s signature of an intent."""
    return Signed.by_key(OWNER_KEY.sign_recoverable(terms.get_digest(order), hasher=None))


def make_end(fate: Fate, block: BlockRef = BLOCK, amount_out: int = 2_000 * 10**6) -> IntentEnd:
    """Return how an intent for 1 WETH ended in a block."""
    tx_hash = "" if fate is Fate.LAPSED else "0x" + keccak(f"{fate}/{amount_out}".encode()).hex()
    amounts = (10**18, amount_out) if fate is Fate.FILLED else (0, 0)
    return IntentEnd(fate, Consumer(tx_hash, block.number, block.hash, *amounts))


def make_receipt(
    tx_hash: str,
    order: Order,
    amount_out: int = 2_000 * 10**6,
    *,
    success: bool = True,
    block: BlockRef = BLOCK,
) -> Receipt:
    """Return the receipt of a swap that took the order's amount and paid ``amount_out``."""
    logs = (
        make_transfer(order.token_in, order.account, KEEPER, order.amount),
        make_transfer(order.token_out, KEEPER, order.recipient, amount_out),
    )
    return Receipt(
        tx_hash=tx_hash,
        block_number=block.number,
        block_hash=block.hash,
        success=success,
        gas_used=120_000,
        effective_gas_price_wei=10**9,
        l1_fee_wei=0,
        sender=order.account,
        to=KEEPER,
        logs=logs if success else (),
    )


def make_transfer(token: Token, sender: Address, recipient: Address, amount: int) -> Log:
    """Return an ERC-20 Transfer log."""
    topics = (TRANSFER, _word(sender), _word(recipient))
    return Log(token.address, topics, amount.to_bytes(32, "big"), 0)


def make_block(number: int, salt: int = 0) -> BlockRef:
    """Return a block; another ``salt`` is another block at the same height."""
    block_hash = "0x" + keccak(f"{number}/{salt}".encode()).hex()
    return BlockRef(CHAIN_ID, number, block_hash, 1_700_000_000 + 12 * number, 10**9, 30_000_000)


def _word(address: Address) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
