// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {Session} from "./Session.sol";
import {Tokens} from "./Tokens.sol";

/// @title How a hop's input reaches its pool
library Funds {
    using Tokens for address;

    /// @notice What an exact input is, with 0 read as all that is left.
    function amountIn(IRouter.Hop calldata hop) internal view returns (uint256) {
        if (hop.amount != 0) return hop.amount;
        return hop.input == IRouter.Input.PAYER ? Session.left() : hop.tokenIn.balanceOf(address(this));
    }

    /// @notice Move `amount` of `token` to `to`: from the payer, or of what the router holds.
    function pay(address token, bool fromPayer, address to, uint256 amount) internal {
        if (fromPayer) {
            token.transferFrom(Session.take(amount), to, amount);
        } else {
            token.transfer(to, amount);
        }
    }

    /// @notice Move a hop's input to its pool.
    function payPool(IRouter.Hop calldata hop, uint256 amount) internal {
        pay(hop.tokenIn, hop.input == IRouter.Input.PAYER, hop.pool, amount);
    }

    /// @notice Move a hop's input into the router, for pools that pull it.
    function collect(IRouter.Hop calldata hop, uint256 amount) internal {
        if (hop.input == IRouter.Input.PAYER) pay(hop.tokenIn, true, address(this), amount);
    }

    /// @notice Return to the payer what a pool left of a hop's input.
    function giveBack(address token, uint256 amount) internal {
        if (amount != 0) token.transfer(Session.untake(amount), amount);
    }

    /// @notice `amount` as the signed type in which some venues take it.
    function toSigned(uint256 amount) internal pure returns (int256) {
        if (amount > uint256(type(int256).max)) revert IRouter.AmountTooLarge(amount);
        return int256(amount);
    }

    /// @notice Whether tokenIn is the first of the two, where a pool sorts them by address.
    function zeroForOne(IRouter.Hop calldata hop) internal pure returns (bool) {
        return hop.tokenIn < hop.tokenOut;
    }

    /// @notice Revert if a pool filled less than was asked, either way round.
    function requireFilled(IRouter.Hop calldata hop, uint256 asked, uint256 taken, uint256 given)
        internal
        pure
    {
        uint256 filled = hop.exactOut ? given : taken;
        if (filled != asked) revert IRouter.PartialFill(hop.pool, asked, filled);
    }

    /// @notice Revert if the hop asks for an exact output.
    function requireExactIn(IRouter.Hop calldata hop) internal pure {
        if (hop.exactOut) revert IRouter.ExactOutUnsupported(hop.venue);
    }
}
