"""Fixtures and stand-ins for the tests of bots: local chains, forks, funded traders."""
