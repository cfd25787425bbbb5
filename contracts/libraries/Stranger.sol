// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TokenMoves} from "./TokenMoves.sol";

/// @title An account that the token has never seen
contract Stranger {
    function giveBack(address token, uint256 amount) external returns (bool success, bytes memory data) {
        return TokenMoves.tryTransfer(token, msg.sender, amount);
    }
}
