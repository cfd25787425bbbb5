"""Fixtures for the tests of bots: a local chain with real protocols, forks of it, funded traders."""
