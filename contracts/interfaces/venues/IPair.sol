// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What a swap needs of a pair of Uniswap v2, and of a pool of Solidly
interface IPair {
    function getReserves() external view returns (uint256 reserve0, uint256 reserve1, uint256 timestamp);
    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
    /// @dev Solidly only.
    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256 amountOut);
}
