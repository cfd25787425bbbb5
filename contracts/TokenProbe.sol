// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITokenProbe} from "./interfaces/ITokenProbe.sol";
import {Stranger} from "./libraries/Stranger.sol";
import {IERC20Balance, TokenMoves} from "./libraries/TokenMoves.sol";

contract TokenProbe is ITokenProbe {
    /// @inheritdoc ITokenProbe
    function probe(address token, uint256 share) external returns (Moved memory moved) {
        moved.held = IERC20Balance(token).balanceOf(address(this));
        uint256 amount = moved.held / share;
        if (amount == 0) return moved;

        Stranger stranger = new Stranger();
        bool success;
        (success, moved.reason) = TokenMoves.tryTransfer(token, address(stranger), amount);
        if (!success) return failed(moved);
        uint256 left = IERC20Balance(token).balanceOf(address(this));
        moved.sent = moved.held - left;
        moved.received = IERC20Balance(token).balanceOf(address(stranger));

        (success, moved.reason) = stranger.giveBack(token, moved.received);
        if (!success) return failed(moved);
        moved.returned = IERC20Balance(token).balanceOf(address(this)) - left;
    }

    function failed(Moved memory moved) private pure returns (Moved memory) {
        moved.failed = true;
        return moved;
    }
}
