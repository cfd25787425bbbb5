"""One refusal in the words of every client: data.

Taken from the clients' sources: geth core/txpool and core/error.go (0dfc43a), reth
rpc-eth-types/src/error (00971c2), Nethermind TxPoolErrorMessages (030cbd1) and, as OLD_NETHERMIND, the codes
that stood for them until 2026, Erigon txpoolcfg.DiscardReason (05916db), Besu RpcErrorType
(cdf1b40); anvil 1.7.1 as it answers. A client that is not listed for a reason does not give it.
"""

from __future__ import annotations

import enum
from typing import Final

from onchain_exec.testing.lying_node.exchange import Refusal


class Client(enum.Enum):
    """Who speaks."""

    GETH = "geth"
    RETH = "reth"
    NETHERMIND = "nethermind"
    OLD_NETHERMIND = "nethermind before 2026"
    ERIGON = "erigon"
    BESU = "besu"
    ANVIL = "anvil"
    PROVIDER = "a provider's gateway"


class Reason(enum.Enum):
    """Why a transaction is not taken; the value finds a reason in the words of anvil and geth."""

    KNOWN = r"already (known|imported)"
    NONCE_TOO_LOW = r"nonce too low"
    NONCE_GAP = r"nonce too high|gapped-nonce"
    REPLACEMENT_UNDERPRICED = r"replacement transaction underpriced"
    UNDERPRICED = r"transaction underpriced|less than block base fee"
    TIP_ABOVE_FEE = r"max priority fee per gas higher than max fee"
    FEE_CAP = r"exceeds the configured cap"
    INSUFFICIENT_FUNDS = r"insufficient funds"
    INTRINSIC_GAS = r"intrinsic gas too low"
    FLOOR_GAS = r"floor data gas"
    BLOCK_GAS_LIMIT = r"exceeds block gas limit|intrinsic gas too high"
    GAS_CAP = r"gas limit too high"
    OVERSIZED = r"oversized data"
    WRONG_CHAIN = r"invalid chain id"
    POOL_FULL = r"txpool is full"
    IN_FLIGHT = r"in-flight transaction limit"
    RESERVED = r"(address|authority) already reserved"


_GETH: Final = {
    Reason.KNOWN: Refusal(-32000, "already known"),
    Reason.NONCE_TOO_LOW: Refusal(-32000, "nonce too low: next nonce 8, tx nonce 7"),
    Reason.NONCE_GAP: Refusal(-32000, "gapped-nonce tx from delegated accounts"),
    Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "replacement transaction underpriced"),
    Reason.UNDERPRICED: Refusal(-32000, "transaction underpriced: gas tip cap 0, minimum needed 1"),
    Reason.TIP_ABOVE_FEE: Refusal(-32000, "max priority fee per gas higher than max fee per gas"),
    Reason.FEE_CAP: Refusal(-32000, "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)"),
    Reason.INSUFFICIENT_FUNDS: Refusal(
        -32000, "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1"
    ),
    Reason.INTRINSIC_GAS: Refusal(-32000, "intrinsic gas too low: gas 20000, minimum needed 21000"),
    Reason.FLOOR_GAS: Refusal(
        -32000, "insufficient gas for floor data gas cost: gas 21000, minimum needed 31000"
    ),
    Reason.BLOCK_GAS_LIMIT: Refusal(-32000, "exceeds block gas limit"),
    Reason.GAS_CAP: Refusal(-32000, "transaction gas limit too high (cap: 16777216, tx: 16777217)"),
    Reason.OVERSIZED: Refusal(-32000, "oversized data: transaction size 200000, limit 131072"),
    Reason.WRONG_CHAIN: Refusal(-32000, "invalid sender: invalid chain id for signer: have 1 want 5"),
    Reason.POOL_FULL: Refusal(-32000, "txpool is full"),
    Reason.IN_FLIGHT: Refusal(-32000, "in-flight transaction limit reached for delegated accounts"),
    Reason.RESERVED: Refusal(-32000, "address already reserved"),
}

WORDS: Final[dict[Client, dict[Reason, Refusal]]] = {
    Client.GETH: _GETH,
    Client.RETH: {
        **_GETH,
        Reason.UNDERPRICED: Refusal(-32000, "transaction underpriced"),
        Reason.TIP_ABOVE_FEE: Refusal(-32003, "max priority fee per gas higher than max fee per gas"),
        Reason.FEE_CAP: Refusal(
            -32000, "tx fee (2000000000000000000 wei) exceeds the configured cap (1000000000000000000 wei)"
        ),
        Reason.INSUFFICIENT_FUNDS: Refusal(
            -32003, "insufficient funds for gas * price + value: have 0 want 1"
        ),
        Reason.INTRINSIC_GAS: Refusal(-32000, "intrinsic gas too low"),
        Reason.FLOOR_GAS: Refusal(-32000, "intrinsic gas too low"),
        Reason.GAS_CAP: Refusal(-32000, "exceeds max transaction gas limit"),
        Reason.WRONG_CHAIN: Refusal(-32000, "invalid chain ID"),
        Reason.POOL_FULL: Refusal(-32003, "txpool is full"),
    },
    Client.NETHERMIND: {
        Reason.KNOWN: Refusal(-32010, "already known"),
        Reason.NONCE_TOO_LOW: Refusal(-32010, "nonce too low, Current nonce: 8, nonce of rejected tx: 7."),
        Reason.NONCE_GAP: Refusal(-32010, "nonce too far in future"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32010, "replacement transaction underpriced"),
        Reason.UNDERPRICED: Refusal(-32010, "transaction underpriced, MaxFeePerGas too low."),
        Reason.INSUFFICIENT_FUNDS: Refusal(
            -32010, "insufficient funds for gas * price + value, Account balance: 0"
        ),
        Reason.INTRINSIC_GAS: Refusal(-32010, "transaction invalid, intrinsic gas too low"),
        Reason.BLOCK_GAS_LIMIT: Refusal(-32010, "gas limit reached, Gas limit: 60000000"),
        Reason.GAS_CAP: Refusal(
            -32010,
            "transaction invalid, TxGasLimitCapExceeded: Gas limit 16777217 exceeded cap of 16777216.",
        ),
        Reason.OVERSIZED: Refusal(-32010, "transaction too large"),
        Reason.WRONG_CHAIN: Refusal(-32010, "transaction invalid, InvalidTxChainId: Expected 1, got 5."),
        Reason.IN_FLIGHT: Refusal(-32010, "delegation authority has pending transaction"),
        Reason.RESERVED: Refusal(-32010, "pending transaction type conflict"),
    },
    Client.OLD_NETHERMIND: {
        Reason.KNOWN: Refusal(-32010, "AlreadyKnown"),
        Reason.NONCE_TOO_LOW: Refusal(-32010, "OldNonce, Current nonce: 8, nonce of rejected tx: 7."),
        Reason.NONCE_GAP: Refusal(-32010, "NonceGap, Future nonce. Expected nonce: 3"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32010, "ReplacementNotAllowed"),
        Reason.UNDERPRICED: Refusal(-32010, "FeeTooLow, MaxFeePerGas too low."),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32010, "InsufficientFunds, Account balance: 0"),
        Reason.BLOCK_GAS_LIMIT: Refusal(-32010, "GasLimitExceeded, Gas limit: 60000000"),
        Reason.OVERSIZED: Refusal(-32010, "MaxTxSizeExceeded, 200000 > 131072"),
        Reason.IN_FLIGHT: Refusal(-32010, "DelegatorHasPendingTx"),
        Reason.RESERVED: Refusal(-32010, "PendingTxsOfConflictingType"),
    },
    Client.ERIGON: {
        Reason.KNOWN: Refusal(-32000, "ALREADY_EXISTS: already known"),
        Reason.NONCE_TOO_LOW: Refusal(-32000, "INTERNAL_ERROR: nonce too low"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "INTERNAL_ERROR: could not replace existing tx"),
        Reason.UNDERPRICED: Refusal(-32000, "FEE_TOO_LOW: underpriced"),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32000, "INTERNAL_ERROR: insufficient funds"),
        Reason.INTRINSIC_GAS: Refusal(-32000, "INTERNAL_ERROR: IntrinsicGas"),
        Reason.BLOCK_GAS_LIMIT: Refusal(-32000, "INTERNAL_ERROR: gas limit is too high"),
        Reason.OVERSIZED: Refusal(-32000, "INTERNAL_ERROR: RLPTooLong"),
        Reason.WRONG_CHAIN: Refusal(-32000, "INVALID: invalid sender"),
        Reason.POOL_FULL: Refusal(-32000, "INTERNAL_ERROR: pending sub-pool is full"),
        Reason.RESERVED: Refusal(
            -32000, "INTERNAL_ERROR: EIP-7702 transaction with authority already reserved"
        ),
    },
    Client.BESU: {
        Reason.KNOWN: Refusal(-32000, "Known transaction"),
        Reason.NONCE_TOO_LOW: Refusal(-32001, "Nonce too low"),
        Reason.NONCE_GAP: Refusal(-32000, "Transaction nonce is too distant from current sender nonce"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "Replacement transaction underpriced"),
        Reason.UNDERPRICED: Refusal(-32009, "Gas price below configured minimum gas price"),
        Reason.TIP_ABOVE_FEE: Refusal(-32000, "Max priority fee per gas exceeds max fee per gas"),
        Reason.FEE_CAP: Refusal(-32000, "Transaction fee cap exceeded"),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32004, "Upfront cost exceeds account balance"),
        Reason.INTRINSIC_GAS: Refusal(-32003, "Intrinsic gas exceeds gas limit"),
        Reason.FLOOR_GAS: Refusal(-32003, "Intrinsic gas exceeds gas limit"),
        Reason.BLOCK_GAS_LIMIT: Refusal(-32005, "Transaction gas limit exceeds block gas limit"),
        Reason.GAS_CAP: Refusal(-32005, "Transaction gas limit cap exceeded"),
        Reason.WRONG_CHAIN: Refusal(-32000, "Wrong chainId"),
    },
    Client.ANVIL: {
        Reason.KNOWN: Refusal(-32003, "transaction already imported"),
        Reason.NONCE_TOO_LOW: Refusal(-32003, "nonce too low"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32003, "replacement transaction underpriced"),
        Reason.UNDERPRICED: Refusal(-32003, "max fee per gas less than block base fee"),
        Reason.INSUFFICIENT_FUNDS: Refusal(-32003, "Insufficient funds for gas * price + value"),
        Reason.INTRINSIC_GAS: Refusal(-32003, "intrinsic gas too low"),
        Reason.BLOCK_GAS_LIMIT: Refusal(
            -32003, "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit"
        ),
    },
    Client.PROVIDER: {
        Reason.KNOWN: Refusal(-32000, "rpc error: already known"),
        Reason.NONCE_TOO_LOW: Refusal(-32000, "rpc error: NONCE_TOO_LOW"),
        Reason.REPLACEMENT_UNDERPRICED: Refusal(-32000, "rpc error: TRANSACTION_REPLACEMENT_UNDERPRICED"),
    },
}

RATE_LIMITS: Final = {
    "alchemy": Refusal(429, "Your app has exceeded its compute units per second capacity."),
    "infura": Refusal(-32005, "project ID request rate exceeded", {"backoff_seconds": 30.0}),
    "quicknode": Refusal(-32007, "50/second request limit reached - reduce calls per second"),
    "quicknode credits": Refusal(-32012, "credits limited to 6000/sec"),
    "base": Refusal(-32016, "over rate limit"),
    "bnb": Refusal(-32005, "limit exceeded"),
    "ankr": Refusal(-32090, "Too many requests, rate limit exceeded"),
}
"""What providers answer inside HTTP 200 when they want less."""
