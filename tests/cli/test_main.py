"""The list of commands: each says what its command says, and is loaded without the others."""

import json
import subprocess
import sys

import pytest

from onchain_exec.cli.main import COMMANDS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_command_summary_begins_its_own_help(command):
    own = command.make_context(command.name, [], resilient_parsing=True).command
    assert " ".join(own.help.split()).startswith(command.help.removesuffix("."))


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["--help"], {"pydantic", "sqlalchemy", "eth_abi", "asyncio"}),
        (["orders", "--help"], {"aiohttp", "numpy", "eth_account", "websockets"}),
    ],
)
def test_command_loads_what_it_needs_only(arguments, unneeded):
    program = (
        "import json, sys\n"
        "from onchain_exec.cli.main import main\n"
        f"sys.argv[1:] = {arguments}\n"
        "try:\n    main()\n"
        "except SystemExit:\n    sys.stderr.write(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert not unneeded.intersection(json.loads(done.stderr))
