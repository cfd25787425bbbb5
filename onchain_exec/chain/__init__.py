"""Nodes and local chains: the one place that talks JSON-RPC."""
