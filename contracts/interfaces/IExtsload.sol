// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The window that Uniswap v4's PoolManager opens on its storage
interface IExtsload {
    /// @notice The contents of `slots`, in their order.
    function extsload(bytes32[] calldata slots) external view returns (bytes32[] memory);
}
