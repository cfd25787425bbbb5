"""Lyra's Black-Scholes in integers, against the package's own library, and against the true values."""

from __future__ import annotations

from random import Random

import pytest
from eth_abi import decode

from onchain_exec.app.sandbox.artifacts import Contract, read_contract
from onchain_exec.app.sandbox.derivatives.deployed import Deployed
from onchain_exec.app.sandbox.derivatives.lyra import PACKAGE
from onchain_exec.errors import PoolRevertError, RevertError
from onchain_exec.pricing.options import black_scholes as true_values
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.options.lyra.black_scholes import OptionInputs, get_normal_cdf, get_values
from onchain_exec.venues.options.lyra.decimal_math import to_wad
from onchain_exec.venues.options.lyra.exp_ln import exp_wad, ln_wad

CASES = pytest.mark.parametrize(
    "cases", [200, pytest.param(20_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
YEAR = 31_536_000


@pytest.fixture(scope="module")
def library() -> Deployed:
    deployed = Deployed(LocalEvm())
    linked = deployed.deploy("library", _read("libraries", "BlackScholes"))
    deployed.deploy("tester", _read("test-helpers", "TestBlackScholes"), libraries={"BlackScholes": linked})
    return deployed


def _read(folder: str, name: str) -> Contract:
    return read_contract(PACKAGE, f"dist/artifacts/contracts/{folder}/{name}.sol/{name}.json")


@CASES
def test_values_equal_the_library(library: Deployed, rng: Random, cases: int) -> None:
    for _ in range(cases):
        spot = int(10 ** rng.uniform(15, 24))
        seconds, vol = int(10 ** rng.uniform(0, 8)), int(10 ** rng.uniform(13, 19.5))
        strike, rate = max(1, int(spot * 10 ** rng.uniform(-2, 2))), rng.randrange(-(10**18), 10**18)
        answer = library.ask("tester", "pricesDeltaStdVega_pub", (seconds, vol, spot, strike, rate))
        call, put, delta, _, vega, std_vega = decode(
            ("uint256",) * 2 + ("int256",) * 2 + ("uint256",) * 2, answer
        )
        found = get_values(OptionInputs(seconds, vol, spot, strike, rate))
        assert (found.call_wad, found.put_wad, found.call_delta_wad) == (call, put, delta)
        assert (found.vega_wad, found.std_vega_wad) == (vega, std_vega)


@CASES
def test_exp_ln_and_distribution_equal_the_library(library: Deployed, rng: Random, cases: int) -> None:
    for _ in range(cases):
        x = int(rng.choice((-1, 1)) * 10 ** rng.uniform(0, 21))
        for function, ours in (("expPub", exp_wad), ("lnPub", ln_wad)):
            try:
                (theirs,) = decode(("int256",), library.ask("tester", function, x))
            except RevertError:
                with pytest.raises(PoolRevertError):
                    ours(x)
            else:
                assert ours(x) == theirs
        z = int(rng.uniform(-40, 40) * 10**27)
        (tail,) = decode(("uint256",), library.ask("tester", "stdNormalCDF_pub", z))
        assert to_wad(get_normal_cdf(z)) == tail


def test_call_price_is_near_the_true_one(rng: Random) -> None:
    for _ in range(100):
        spot, years, vol = rng.uniform(10, 5_000), rng.uniform(0.01, 1), rng.uniform(0.3, 2)
        strike, rate = spot * rng.uniform(0.8, 1.25), rng.uniform(-0.05, 0.05)
        seconds = int(years * YEAR)
        found = get_values(OptionInputs(seconds, *(int(x * 1e18) for x in (vol, spot, strike, rate))))
        carry = true_values.Carry(rate=rate)
        price = float(true_values.get_price(True, spot, strike, seconds / YEAR, vol, carry))
        assert found.call_wad / 1e18 == pytest.approx(price, rel=1e-9, abs=1e-9 * spot)
