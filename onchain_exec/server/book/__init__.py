"""The book of signed orders over HTTP and WebSocket."""
