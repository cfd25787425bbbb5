// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITokenProbe} from "./interfaces/ITokenProbe.sol";
import {Stranger} from "./libraries/Stranger.sol";
import {IERC20Balance, TokenMoves} from "./libraries/TokenMoves.sol";

contract TokenProbe is ITokenProbe {
    /// @inheritdoc ITokenProbe
    function probe(address token, uint256 amount) external returns (Moved memory moved) {
        Stranger stranger = new Stranger();
        uint256 held = IERC20Balance(token).balanceOf(address(this));
        TokenMoves.transfer(token, address(stranger), amount);
        uint256 left = IERC20Balance(token).balanceOf(address(this));
        moved.sent = held - left;
        moved.received = IERC20Balance(token).balanceOf(address(stranger));
        stranger.giveBack(token, moved.received);
        moved.returned = IERC20Balance(token).balanceOf(address(this)) - left;
    }
}
