"""A local chain with the real protocols on it: their published bytecode, deployed and seeded."""

from onchain_exec.app.sandbox.cache import read_deployment
from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.app.sandbox.sandbox import Sandbox

__all__ = ["Deployment", "Sandbox", "read_deployment"]
