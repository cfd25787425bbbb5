// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "./IRouter.sol";
import {ISettle, ISettleCallback} from "./ISettle.sol";

/// @title Settles one owner's batches, and brings what they lack from pools
/// @notice The sender of `Settle.settle` for its owner: the matcher that orders may name. What the batch
/// pulls in and does not pay out comes here, is swapped through the Router, and goes back as far as the
/// batch lacks it; the rest, with the fees, is the surplus. Between transactions it holds nothing and has
/// allowed nobody anything. It has no other powers than its owner's calls give it, cannot be changed, and
/// takes no native coin.
interface ISolver is ISettleCallback {
    /// @notice The batch as `Settle.settle` takes it.
    struct Batch {
        address[] tokens;
        uint128[] prices;
        ISettle.Fill[] fills;
        bytes[] signatures;
        ISettle.Advance[] advances;
    }

    /// @notice A swap as `Router.swap` takes it, without checks. Its recipient is this contract where
    /// another swap or a due uses the output.
    struct Swap {
        IRouter.Terms terms;
        IRouter.Hop[] hops;
    }

    /// @notice What Settle lacks of one of the batch's tokens.
    /// @param token Index in the batch's tokens
    /// @param amount Base units
    struct Due {
        uint256 token;
        uint256 amount;
    }

    /// @notice Thrown when another than the owner starts a settlement.
    error NotOwner(address caller);
    /// @notice Thrown when another than Settle calls back.
    error NotSettle(address caller);
    /// @notice Thrown when a settlement runs after its deadline.
    error DeadlinePassed(uint256 deadline, uint256 timestamp);

    /// @notice Settle a batch: what it advances is swapped in the order given, then the dues are paid to
    /// Settle. All of it or nothing; only the owner may.
    /// @dev Without swaps and dues there is no callback. With no fills it only sends away what was sent here.
    /// @param surplusTo Who gets all that this contract then holds of the batch's tokens and of those that
    /// the swaps buy
    /// @param deadline Last unix second at which it may run
    function settle(
        Batch calldata batch,
        Swap[] calldata swaps,
        Due[] calldata dues,
        address surplusTo,
        uint256 deadline
    ) external;

    /// @notice Who may settle.
    function owner() external view returns (address);
}
