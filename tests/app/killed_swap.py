"""Swaps in processes that kill themselves with SIGKILL right after a named step. Run as a program."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.dying import die_after, serve
from few_venues import with_few_venues

from onchain_exec import LocalSigner
from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.desk import AsyncDesk, ignore
from onchain_exec.app.path.context import Observer, Step
from onchain_exec.app.sandbox.sandbox import CHAIN_ID


async def open_desk(asked: dict[str, Any], observe: Observer = ignore) -> AsyncDesk:
    """Open the desk that a line describes."""
    return await AsyncDesk.connect(
        asked["rpc_url"],
        signer=LocalSigner(asked["key"]),
        journal=asked["journal"],
        profile=with_few_venues(get_chain_profile(CHAIN_ID)),
        observe=observe,
    )


async def rehearse(asked: dict[str, Any]) -> None:
    """Quote what the first swap will be, with a journal that nobody keeps."""
    with TemporaryDirectory() as folder:
        async with await open_desk({**asked, "journal": Path(folder, "journal.sqlite")}) as desk:
            await desk.quote("WETH", "USDC", "1")


async def swap(asked: dict[str, Any]) -> None:
    """Swap 1 WETH for USDC; die after the given occurrence of the step."""
    async with await open_desk(asked, die_after(Step[asked["step"]], asked["occurrence"])) as desk:
        name = asked["client_order_id"]
        await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id=name)


if __name__ == "__main__":
    serve(swap, rehearse)
