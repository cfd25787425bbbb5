"""What clients really say, word for word, and what it means: catalogue entries 19, 39, 40."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.execution.delivery.refusals import WORDINGS, Refusal, classify_refusal

SAID = {
    Refusal.KNOWN: [
        "already known",  # geth, reth
        "ALREADY_EXISTS: already known",  # erigon
        "known transaction: 4f0c3f5d8a",  # geth before 1.9.24
        "Known transaction",  # besu
        "AlreadyKnown",  # nethermind
        "transaction already imported",  # anvil
        "Transaction with the same hash was already imported.",  # openethereum
        "tx already in mempool",  # evm on cosmos
        "tx already exists in cache",
        "INTERNAL_ERROR: existing txn with same hash",  # erigon
        "INTERNAL_ERROR: existing tx with same hash",
    ],
    Refusal.NONCE_CONSUMED: [
        "nonce too low",  # anvil
        "nonce too low: next nonce 8, tx nonce 7",  # geth
        "NONCE_TOO_LOW",  # besu
        "Nonce too low",
        "Transaction nonce is too low. Try incrementing the nonce.",  # openethereum
        "OldNonce, Current nonce: 5, nonce of rejected tx: 4.",  # nethermind
        "Transaction nonce is below sender account nonce",  # besu
    ],
    Refusal.INVALID: [
        "replacement transaction underpriced",  # geth, reth, anvil
        "TRANSACTION_REPLACEMENT_UNDERPRICED",  # besu
        "ReplacementNotAllowed",  # nethermind
        "INTERNAL_ERROR: could not replace existing tx",  # erigon
        "transaction underpriced: gas tip cap 1, minimum needed 1000000",  # geth
        "FeeTooLow, MaxFeePerGas too low.",  # nethermind
        "FeeTooLowToCompete",
        "Gas price below configured minimum gas price",  # besu
        "max fee per gas less than block base fee",  # anvil
        "max priority fee per gas higher than max fee per gas",
        "tx fee (2.00 ether) exceeds the configured cap (1.00 ether)",  # geth
        "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",  # geth
        "InsufficientFunds, Account balance: 0",  # nethermind
        "Upfront cost exceeds account balance",  # besu
        "intrinsic gas too low: gas 20000, minimum needed 21000",
        "insufficient gas for floor data gas cost: gas 21000, minimum needed 31000",
        "exceeds block gas limit",
        "GasLimitExceeded, Gas limit: 60000000",  # nethermind
        "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit",  # anvil
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",  # geth (EIP-7825)
        "invalid sender",
        "invalid chain id for signer: have 1 want 5",
        "transaction type not supported",
        "NotSupportedTxType",  # nethermind
        "only replay-protected (EIP-155) transactions allowed over RPC",
        "SenderIsContract, Sender is a contract",
        "oversized data: transaction size 200000, limit 131072",
        "authority nonce too low",
        "max initcode size exceeded",  # reth, nethermind
        "initcode too large",  # erigon
        "INTERNAL_ERROR: RLPTooLong",
        "transaction too large",  # nethermind
        "MaxTxSizeExceeded",
        "INTERNAL_ERROR: IntrinsicGas",  # erigon
        "Intrinsic gas exceeds gas limit",  # besu
        "gas limit reached, Gas limit: 60000000",  # nethermind
        "exceeds max transaction gas limit",  # reth
        "Transaction gas limit cap exceeded",  # besu
        "TxGasLimitCapExceeded: Gas limit 16777217 exceeded cap of 16777216.",  # nethermind
        "transaction priority fee below minimum required priority fee 1",  # reth
        "Max priority fee per gas exceeds max fee per gas",  # besu
        "Transaction fee cap exceeded",
        "Wrong chainId",
        "InvalidTxChainId: Expected 1, got 5",  # nethermind
    ],
    Refusal.NOT_NOW: [
        "NonceGap, Future nonce. Expected nonce: 3",  # nethermind
        "nonce too high",
        "txpool is full",  # geth
        "in-flight transaction limit reached for delegated accounts",  # geth
        "gapped-nonce tx from delegated accounts",
        "delegation authority has pending transaction",  # nethermind
        "DelegatorHasPendingTx",
        "address already reserved",  # geth, reth
        "EIP-7702 transaction with authority already reserved",  # erigon
        "pending transaction type conflict",  # nethermind
        "PendingTxsOfConflictingType",
        "Transaction nonce is too distant from current sender nonce",  # besu
        "An invalid transaction with a lower nonce exists",
        "future transaction tries to replace pending",  # geth
        "account limit exceeded: pooled 16 txs",
        "node is syncing",  # nethermind
        "Initial sync is still in progress",  # besu
    ],
}
NOT_UNDERSTOOD = [
    "",
    "unknown transaction",
    "unknown transaction type 0x7f",
    "an internal error occurred",
    "timeout",
    "header not found",
    "request failed or timed out",
    "the network is shutting down",
    "invalid nonce; got 5, expected 3: invalid sequence",  # evm on cosmos: a gap, or a consumed nonce
]


@pytest.mark.parametrize(("text", "refusal"), [(t, r) for r, texts in SAID.items() for t in texts])
def test_classify_refusal_understands_what_clients_say(text: str, refusal: Refusal) -> None:
    assert classify_refusal(text) is refusal
    assert classify_refusal(text.upper()) is refusal
    assert classify_refusal(f"rpc error: {text}.") is refusal


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_classify_refusal_of_other_words_is_none(text: str) -> None:
    assert classify_refusal(text) is None


@given(st.text(alphabet=st.characters(exclude_characters="aeiouAEIOU"), max_size=80))
def test_classify_refusal_of_noise_is_none(text: str) -> None:
    assert classify_refusal(text) is None


def test_every_wording_is_said_by_a_client() -> None:
    texts = [text.replace("_", " ") for known in SAID.values() for text in known]
    unsaid = [w.pattern for w in WORDINGS if not any(re.search(w.pattern, t, re.I) for t in texts)]
    assert not unsaid
