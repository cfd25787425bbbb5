// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IERC20} from "../../interfaces/venues/IERC20.sol";

/// @title Tokens as they are in the wild, and the native coin as the zero address
library Tokens {
    address internal constant NATIVE = address(0);

    function balanceOf(address token, address account) internal view returns (uint256) {
        return token == NATIVE ? account.balance : IERC20(token).balanceOf(account);
    }

    function transfer(address token, address to, uint256 amount) internal {
        if (token == NATIVE) {
            (bool accepted,) = to.call{value: amount}("");
            if (!accepted) revert IRouter.NativeRefused(to, amount);
        } else {
            change(token, abi.encodeCall(IERC20.transfer, (to, amount)));
        }
    }

    function transferFrom(address token, address from, address to, uint256 amount) internal {
        change(token, abi.encodeCall(IERC20.transferFrom, (from, to, amount)));
    }

    function approve(address token, address spender, uint256 amount) internal {
        change(token, abi.encodeCall(IERC20.approve, (spender, amount)));
    }

    /// @notice Set an allowance to 0 if it is not.
    function disapprove(address token, address spender) internal {
        if (IERC20(token).allowance(address(this), spender) != 0) approve(token, spender, 0);
    }

    /// @dev A token may answer nothing, but an account without code has not moved anything either.
    function change(address token, bytes memory data) private {
        (bool success, bytes memory answer) = token.call(data);
        bool accepted = answer.length == 0 ? token.code.length != 0 : uint256(bytes32(answer)) == 1;
        if (!success || !accepted) revert IRouter.TokenCallFailed(token, bytes4(data), answer);
    }
}
