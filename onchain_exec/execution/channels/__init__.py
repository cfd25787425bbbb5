"""Which way an order's transaction goes out, chosen by what each way is expected to cost."""

from onchain_exec.execution.channels.channel import Channel, ChannelPolicy
from onchain_exec.execution.channels.choose import Decision, Offers, choose_channel, reconsider
from onchain_exec.execution.channels.costs import Estimate, Stakes
from onchain_exec.execution.channels.record import TrackRecord

__all__ = [
    "Channel",
    "ChannelPolicy",
    "Decision",
    "Estimate",
    "Offers",
    "Stakes",
    "TrackRecord",
    "choose_channel",
    "reconsider",
]
