"""Requests for quotes over HTTP and WebSocket."""
