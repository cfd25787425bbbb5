"""Accounts with collateral on a known chain: read, foreseen, acted on, looked after."""
