"""``python -m onchain_exec.cli``: the same as ``onchain-exec``."""

from onchain_exec.cli.main import main

main()
