"""UMA's optimistic oracle and long-short pairs on a chain of one's own: their real bytecode, and the
package's mock of the vote that decides disputes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm, create_through
from onchain_exec.core import ZERO_ADDRESS, Address, Token

PACKAGE: Final = "@uma/core"
IDENTIFIER: Final = b"ETHUSD".ljust(32, b"\0")
LIVENESS_S: Final = 7_200
_PAIRS: Final = "financial-templates/long-short-pair"
_PRODUCTS: Final = "financial-templates/common/financial-product-libraries/long-short-pair-libraries"
_VERIFICATION: Final = "data-verification-mechanism"


LIBRARIES: Final = (
    "BinaryOption",
    "CappedYieldDollar",
    "CoveredCall",
    "FlooredLinear",
    "Linear",
    "RangeBond",
    "SimpleSuccessToken",
    "SuccessToken",
)


@dataclass(frozen=True, slots=True)
class PairTerms:
    """What a pair is created with: one of `LIBRARIES`, and the library's parameters; without any, the pair
    cannot be settled."""

    library: str
    parameters: tuple[int, ...]
    expiry_at: int
    collateral_per_pair_wad: int = 10**18
    proposer_bond: int = 0
    proposer_reward: int = 0
    may_expire_early: bool = False


def deploy_uma(evm: Evm, collateral: Token) -> Deployed:
    """Deploy the oracle, the libraries and the creator of pairs; ``collateral`` is whitelisted, ETHUSD is a
    known price."""
    uma = Deployed(evm)
    finder = uma.deploy("Finder", _read(f"{_VERIFICATION}/implementation/Finder"))
    uma.deploy("Store", _read(f"{_VERIFICATION}/implementation/Store"), (0,), (0,), ZERO_ADDRESS)
    uma.deploy("IdentifierWhitelist", _read(f"{_VERIFICATION}/implementation/IdentifierWhitelist"))
    uma.deploy("CollateralWhitelist", _read("common/implementation/AddressWhitelist"))
    uma.deploy("Oracle", _read(f"{_VERIFICATION}/test/MockOracleAncillary"), finder, ZERO_ADDRESS)
    oracle = _read("optimistic-oracle-v2/implementation/OptimisticOracleV2")
    uma.deploy("OptimisticOracleV2", oracle, LIVENESS_S, finder, ZERO_ADDRESS)
    for role in ("Store", "IdentifierWhitelist", "CollateralWhitelist", "Oracle", "OptimisticOracleV2"):
        uma.call("Finder", "changeImplementationAddress", role.encode().ljust(32, b"\0"), uma.at[role])
    uma.call("IdentifierWhitelist", "addSupportedIdentifier", IDENTIFIER)
    uma.call("CollateralWhitelist", "addToWhitelist", collateral.address)
    factory = uma.deploy("TokenFactory", _read("financial-templates/common/TokenFactory"))
    for library in LIBRARIES:
        name = f"{library}LongShortPairFinancialProductLibrary"
        uma.deploy(library, _read(f"{_PRODUCTS}/{name}"))
    uma.deploy("creator", _read(f"{_PAIRS}/LongShortPairCreator"), finder, factory, ZERO_ADDRESS)
    return uma


def create_pair(uma: Deployed, collateral: Token, terms: PairTerms) -> Address:
    """Create a pair and tell its library how to share its collateral."""
    arguments = {
        "pairName": "a pair",
        "expirationTimestamp": terms.expiry_at,
        "collateralPerPair": terms.collateral_per_pair_wad,
        "priceIdentifier": IDENTIFIER,
        "enableEarlyExpiration": terms.may_expire_early,
        "longSynthName": "Long",
        "longSynthSymbol": "LONG",
        "shortSynthName": "Short",
        "shortSynthSymbol": "SHORT",
        "collateralToken": collateral.address,
        "financialProductLibrary": uma.at[terms.library],
        "customAncillaryData": b"",
        "proposerReward": terms.proposer_reward,
        "optimisticOracleLivenessTime": LIVENESS_S,
        "optimisticOracleProposerBond": terms.proposer_bond,
    }
    call = uma.encode("creator", "createLongShortPair", arguments)
    pair = create_through(uma.evm, uma.at["creator"], call)
    uma.contracts["pair"], uma.at["pair"] = _read(f"{_PAIRS}/LongShortPair"), pair
    if terms.parameters:
        uma.call(terms.library, "setLongShortPairParameters", pair, *terms.parameters)
    return pair


def settle_dispute(uma: Deployed, pair: Address, expiry_at: int, price_wad: int) -> None:
    """Decide a disputed price as UMA's vote would."""
    data = uma.encode("OptimisticOracleV2", "stampAncillaryData", b"", pair)
    answer = uma.evm.static_call(uma.at["OptimisticOracleV2"], data, DEPLOYER)
    length = int.from_bytes(answer[32:64])
    uma.call("Oracle", "pushPrice", IDENTIFIER, expiry_at, answer[64 : 64 + length], price_wad)


def _read(path: str) -> Contract:
    name = path.rsplit("/", 1)[-1]
    return read_contract(PACKAGE, f"artifacts/contracts/{path}.sol/{name}.json")
