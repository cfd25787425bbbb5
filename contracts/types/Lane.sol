// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Where an account stands on one of its lanes: `seq << 128 | filled`
/// @dev One word serves all orders of a lane for ever: an order is dead when the lane's seq has passed its
/// own, and what is filled of the order at the lane's seq is counted here.
type Lane is uint256;

using LaneLibrary for Lane global;

library LaneLibrary {
    /// @notice Thrown when the lane has passed an order's seq: it was cancelled, or a later one was filled.
    error SeqPassed(uint256 seq, uint256 current);
    /// @notice Thrown when a fill takes an order beyond its size.
    error Overfilled(uint256 filled, uint256 size);

    /// @notice The lowest seq that may still fill.
    function seq(Lane lane) internal pure returns (uint256) {
        return Lane.unwrap(lane) >> 128;
    }

    /// @notice What has been filled of the order with that seq.
    function filled(Lane lane) internal pure returns (uint256) {
        return uint128(Lane.unwrap(lane));
    }

    /// @notice Count `amount` of an order of `size` with `orderSeq`; a later seq starts from nothing.
    function fill(Lane lane, uint256 orderSeq, uint256 amount, uint256 size) internal pure returns (Lane) {
        uint256 current = seq(lane);
        if (orderSeq < current) revert SeqPassed(orderSeq, current);
        uint256 total = orderSeq == current ? filled(lane) + amount : amount;
        if (total > size) revert Overfilled(total, size);
        return Lane.wrap((orderSeq << 128) | total);
    }

    /// @notice Kill every order up to and with `lastSeq`.
    function cancel(Lane lane, uint32 lastSeq) internal pure returns (Lane) {
        uint256 current = seq(lane);
        if (lastSeq < current) revert SeqPassed(lastSeq, current);
        unchecked {
            return Lane.wrap((uint256(lastSeq) + 1) << 128); // of 33 bits
        }
    }
}
