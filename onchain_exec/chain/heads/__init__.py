"""New heads in order, sooner where a socket signals them."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.chain.heads.follower import HeadEvent, HeadFollower, Poll, Wake
    from onchain_exec.chain.heads.subscription import FirstSign, HeadSubscription

__all__ = ["FirstSign", "HeadEvent", "HeadFollower", "HeadSubscription", "Poll", "Wake"]

load_when_asked(__name__)
