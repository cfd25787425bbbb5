"""Run by `ape test` only: plain pytest does without ape's plugin, which slows every test down."""

from scripts._toolchain import use_own_tools

use_own_tools()
