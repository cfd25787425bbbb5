"""A server with a book on a real chain."""

from server.signed_server import served, settle_chain, shared

__all__ = ["served", "settle_chain", "shared"]
