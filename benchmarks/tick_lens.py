"""A v3 pool read as web3.py's users read one: Uniswap's own TickLens, word by word, in one batch.

It is told which words of the bitmap hold ticks; finding them takes it more calls.
"""

from __future__ import annotations

import statistics
import time
from typing import Any, Final

from web3 import Web3

from onchain_exec.app.sandbox.artifacts import read_contract
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

NAME: Final = "web3.py and Uniswap's TickLens"


def list_words(pool: UniswapV3Pool) -> list[int]:
    """Return the words of the bitmap that hold ticks."""
    return sorted({tick // pool.curve.ticks.spacing >> 8 for tick in pool.curve.ticks.indexes})


def measure(evm: ChainEvm, url: str, pool: UniswapV3Pool, rounds: int) -> float:
    """Return the median milliseconds of reading the pool's price, liquidity and ticks.

    Raises:
        AssertionError: it reads another state than ``pool``.
    """
    artifact = read_contract("@uniswap/v3-periphery", "artifacts/contracts/lens/TickLens.sol/TickLens.json")
    core = read_contract("@uniswap/v3-core", "artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json")
    web3 = Web3(Web3.HTTPProvider(url))
    lens: Any = web3.eth.contract(evm.deploy(artifact.creation_code()), abi=list(artifact.abi))
    contract: Any = web3.eth.contract(pool.address, abi=list(core.abi))
    words, times = list_words(pool), []
    for _ in range(rounds):
        begun = time.perf_counter()
        with web3.batch_requests() as batch:
            batch.add(contract.functions.slot0())
            batch.add(contract.functions.liquidity())
            for word in words:
                batch.add(lens.functions.getPopulatedTicksInWord(pool.address, word))
            (price, tick, *_), liquidity, *found = batch.execute()
        ticks = {at: net for page in found for at, net, _ in page}
        times.append(time.perf_counter() - begun)
    curve = pool.curve
    assert (price, tick, liquidity) == (curve.sqrt_price_x96, curve.tick, curve.liquidity)
    assert ticks == dict(zip(curve.ticks.indexes, curve.ticks.liquidity_net, strict=True))
    return statistics.median(times) * 1_000
