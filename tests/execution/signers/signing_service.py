"""A web3signer in this process, which can be slow, dead or wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web
from coincurve import PrivateKey
from eth_account import Account
from eth_hash.auto import keccak

from onchain_exec.core import to_address
from onchain_exec.execution.plan import Fees
from onchain_exec.execution.signers import LocalSigner, UnsignedTx
from onchain_exec.testing.listening import listen

KEY = b"\x01" * 32
PUBLIC_KEY = "0x" + PrivateKey(KEY).public_key.format(compressed=False)[1:].hex()
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class SigningService:
    """Answers as web3signer does, apart from its ``fault``: slow, dead, refuses, noise, html, high-s,
    wrong key, other chain, other nonce."""

    def __init__(self, fault: str = "") -> None:
        self.fault, self.url = fault, ""

    @property
    def key(self) -> bytes:
        return b"\x02" * 32 if self.fault == "wrong key" else KEY

    async def sign(self, request: web.Request) -> web.Response:
        """``POST /api/v1/eth1/sign/{public key}``: the signature of the data's keccak."""
        if failed := await self._fail(request):
            return failed
        payload = bytes.fromhex((await request.json())["data"][2:])
        assert request.match_info["key"] == PUBLIC_KEY
        packed = bytearray(PrivateKey(self.key).sign_recoverable(keccak(payload), hasher=None))
        if self.fault == "high-s":
            packed[32:64] = (ORDER - int.from_bytes(packed[32:64])).to_bytes(32)
            packed[64] ^= 1
        packed[64] += 27
        return web.Response(text="0x" + packed.hex())

    async def call(self, request: web.Request) -> web.Response:
        """JSON-RPC at the root."""
        if failed := await self._fail(request):
            return failed
        asked = await request.json()
        return web.json_response(
            {
                "jsonrpc": "2.0",
                "id": asked["id"],
                "result": await getattr(self, asked["method"])(*asked["params"]),
            }
        )

    async def eth_signTransaction(self, fields: dict[str, str]) -> str:  # noqa: N802 - the API's name
        price = fields.get("gasPrice")
        fee, tip = (price, price) if price else (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"])
        tx = UnsignedTx(
            chain_id=int(fields["chainId"], 16) + (self.fault == "other chain"),
            nonce=int(fields["nonce"], 16) + (self.fault == "other nonce"),
            fees=Fees(int(fee, 16), int(tip, 16), legacy=price is not None),
            gas_limit=int(fields["gas"], 16),
            to=to_address(fields["to"]),
            value_wei=int(fields["value"], 16),
            data=bytes.fromhex(fields["data"][2:]),
        )
        signature = await LocalSigner(self.key).sign_transaction(tx)
        if self.fault == "high-s":
            signature = replace(signature, s=ORDER - signature.s, y_parity=1 - signature.y_parity)
        return "0x" + tx.encode(signature).hex()

    async def eth_signTypedData(self, owner: str, message: dict[str, Any]) -> str:  # noqa: N802
        assert owner == LocalSigner(KEY).address
        return "0x" + Account.sign_typed_data(self.key, full_message=message).signature.hex()

    async def _fail(self, request: web.Request) -> web.Response | None:
        match self.fault:
            case "slow":
                await asyncio.sleep(30)
            case "dead":
                assert request.transport is not None
                request.transport.abort()
            case "refuses":
                return web.json_response({"error": {"code": -32000, "message": "no such key"}}, status=404)
            case "html":
                return web.Response(text="<html>a proxy's page</html>")
            case "noise":
                return web.Response(text="0x" + "00" * 64)
        return None


@asynccontextmanager
async def serve(fault: str = "") -> AsyncIterator[SigningService]:
    """Run a service on a free port."""
    service = SigningService(fault)
    app = web.Application()
    app.router.add_post("/api/v1/eth1/sign/{key}", service.sign)
    app.router.add_post("/", service.call)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    async with listen(runner) as port:
        service.url = f"http://127.0.0.1:{port}"
        yield service
