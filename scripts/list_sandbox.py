"""Write where the local chain's protocols stand into onchain_exec/app/configuration/chains.json.

Run it after the deployment has changed; a test compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

from onchain_exec.app.sandbox.sandbox import Sandbox

CHAINS = Path(__file__).parents[1] / "onchain_exec" / "app" / "configuration" / "chains.json"


def main() -> None:
    """Deploy (or load) the local chain and list it."""
    with Sandbox.start() as sandbox:
        deployed = sandbox.deployment.to_json()
    listed = json.loads(CHAINS.read_text("utf-8"))
    listed["chains"][str(deployed["chain_id"])] = {
        "name": "sandbox",
        "native": "ETH",
        "wrapped_native": "WETH",
        "tokens": deployed["tokens"],
        "protocols": deployed["protocols"],
    }
    CHAINS.write_text(json.dumps(listed, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
