"""The engine over HTTP and WebSocket, for bots in other languages."""
