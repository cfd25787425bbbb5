"""New heads in order; `heads.subscription` signals them sooner and needs the websockets package."""

from onchain_exec.chain.heads.follower import HeadEvent, HeadFollower, Poll, Wake

__all__ = ["HeadEvent", "HeadFollower", "Poll", "Wake"]
