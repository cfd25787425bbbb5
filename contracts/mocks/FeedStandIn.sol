// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A price feed that answers as Chainlink's aggregators do, and whatever it is told to
contract FeedStandIn {
    struct Round {
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
    }

    uint8 public immutable decimals;
    string public description;
    uint80 private roundId;
    Round private last;

    constructor(uint8 decimals_, int256 answer) {
        decimals = decimals_;
        (roundId, last.answer) = (1, answer);
    }

    /// @notice Begin a round. An `updatedAt` of 0 is always now: a feed that never grows old.
    function update(int256 answer, uint256 startedAt, uint256 updatedAt) external {
        last = Round(answer, startedAt, updatedAt);
        ++roundId;
    }

    /// @notice Say what the feed is of, as in "ETH / USD".
    function describe(string calldata pair) external {
        description = pair;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        uint256 updatedAt = last.updatedAt == 0 ? block.timestamp : last.updatedAt;
        return (roundId, last.answer, last.startedAt, updatedAt, roundId);
    }
}
