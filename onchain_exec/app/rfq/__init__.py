"""Requests for quotes: makers answer with signed orders, and the taker settles the best."""

from onchain_exec.app.rfq.desk import QuoteDesk
from onchain_exec.app.rfq.offer import Offer
from onchain_exec.app.rfq.request import QuoteRequest, Wish

__all__ = ["Offer", "QuoteDesk", "QuoteRequest", "Wish"]
