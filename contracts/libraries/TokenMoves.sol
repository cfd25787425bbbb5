// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface IERC20Balance {
    function balanceOf(address account) external view returns (uint256);
}

/// @title Transfers of tokens that answer a bool, or nothing
library TokenMoves {
    function tryTransfer(address token, address to, uint256 amount)
        internal
        returns (bool success, bytes memory data)
    {
        (success, data) = token.call(abi.encodeWithSignature("transfer(address,uint256)", to, amount));
        success = success && (data.length == 0 || (data.length >= 32 && bytes32(data) == bytes32(uint256(1))));
    }
}
