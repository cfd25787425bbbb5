"""Intents: orders signed for the Settle contract, shown in a book, and settled by whoever gains by them."""
