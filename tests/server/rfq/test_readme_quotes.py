"""The README's maker answers the README's taker, over real sockets."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from app.signed_book.settle_chain import USDC, WETH, SettleChain
from server.served_app import serve_app
from server.signed_server import MAKER_TOKEN, TOKEN, open_book

from onchain_exec.app.sandbox.erc20 import get_balance

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")


async def test_readme_maker_and_taker_settle_an_ether(settle_chain: SettleChain, tmp_path: Path) -> None:
    (program,) = (
        text for text in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "sell_an_ether" in text
    )
    scope: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), scope)
    chain, maker = settle_chain, settle_chain.makers[0]
    trader = chain.trader.address
    before = get_balance(chain.evm, chain.usdc, trader)
    with open_book(chain, tmp_path) as (app, service):
        async with asyncio.timeout(120), serve_app(app) as url:
            answering = asyncio.create_task(
                scope["answer_requests"](url, MAKER_TOKEN, maker.key, 2_000 * USDC)
            )
            order = await scope["sell_an_ether"](url, TOKEN, "rfq-1")
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
        await service.context.node.close()
    assert order["state"] == "FILLED"
    assert order["action"] == f"take {2_000 * USDC} USDC for {WETH} WETH"
    assert get_balance(chain.evm, chain.usdc, trader) == before + 2_000 * USDC
