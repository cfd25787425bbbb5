// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What a swap needs of a pool of Uniswap v3
interface IV3Swap {
    /// @return amount0 What the pool received, negative for what it gave
    /// @return amount1 What the pool received, negative for what it gave
    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}
