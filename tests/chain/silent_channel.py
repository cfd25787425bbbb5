"""A `Channel` to a node that has hung."""

import asyncio
from typing import Any


class SilentChannel:
    """A connection that takes every message and answers none, and takes its time to end."""

    def __init__(self) -> None:
        self.heard, self.is_open = 0, True

    async def write(self, message: bytes) -> None:
        self.heard += 1

    async def read(self) -> Any:
        await asyncio.sleep(1_000_000)

    async def close(self) -> None:
        try:
            await asyncio.sleep(1)
        finally:
            self.is_open = False
