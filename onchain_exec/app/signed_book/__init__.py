"""The book of signed orders as a service: what it takes in, and how it follows the chain."""

from onchain_exec.app.signed_book.follow import follow_chain
from onchain_exec.app.signed_book.intake import Intake
from onchain_exec.app.signed_book.verifier import Verifier

__all__ = ["Intake", "Verifier", "follow_chain"]
