"""Prometheus metrics, counted from the journal when they are asked for: nothing is kept beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from onchain_exec.oms import Journal


class JournalCollector(Collector):
    """What the journal holds, by state."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics."""
        journal = self._journal
        yield _count("orders", "Orders, children among them", (v.state.value for v in journal.read_orders()))
        yield _count("parents", "Parent orders", (v.state.value for v in journal.read_parents()))
        yield _count("slots", "Nonce slots", (slot.state.value for slot in journal.read_slots()))
        switches = GaugeMetricFamily(
            "onchain_exec_stopped", "1 while paused, 2 while killed", labels=["scope"]
        )
        levels = {"RUNNING": 0, "PAUSED": 1, "KILLED": 2}
        for switch in journal.read_switches().values():
            switches.add_metric([switch.scope], levels[switch.state.value])
        yield switches
        gas = GaugeMetricFamily("onchain_exec_gas_wei", "Wei paid for gas", labels=["chain_id", "account"])
        for (chain_id, account), wei in journal.read_gas_wei().items():
            gas.add_metric([str(chain_id), account], wei)
        yield gas


def make_registry(journal: Journal) -> CollectorRegistry:
    """Return a registry of a journal's metrics."""
    registry = CollectorRegistry()
    registry.register(JournalCollector(journal))
    return registry


def _count(name: str, help_text: str, states: Iterator[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"onchain_exec_{name}", help_text, labels=["state"])
    for state, count in sorted(Counter(states).items()):
        family.add_metric([state], count)
    return family
