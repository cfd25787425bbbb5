// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IV3Pool} from "../interfaces/IV3Pool.sol";
import {IERC20} from "../interfaces/venues/IERC20.sol";

interface IV3Minting is IV3Pool {
    function mint(address owner, int24 tickLower, int24 tickUpper, uint128 liquidity, bytes calldata data)
        external;
}

/// @title Puts liquidity into v3 pools of a local chain in its owners' own names, as protocols that hold some do
/// @notice The position manager keeps eight words more for each position than the pool.
contract V3Provider {
    struct Position {
        int24 tickLower;
        int24 tickUpper;
        uint128 liquidity;
        address owner;
    }

    address private payer;

    /// @notice Add positions to a pool; the caller pays by what it has approved.
    function provide(IV3Minting pool, Position[] calldata positions) external {
        payer = msg.sender;
        bytes memory tokens = abi.encode(pool.token0(), pool.token1());
        for (uint256 i = 0; i < positions.length; ++i) {
            Position calldata added = positions[i];
            pool.mint(added.owner, added.tickLower, added.tickUpper, added.liquidity, tokens);
        }
        payer = address(0);
    }

    /// @notice Called by the pool, which takes what a position costs.
    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata data) external {
        (IERC20 token0, IERC20 token1) = abi.decode(data, (IERC20, IERC20));
        if (amount0 > 0) require(token0.transferFrom(payer, msg.sender, amount0));
        if (amount1 > 0) require(token1.transferFrom(payer, msg.sender, amount1));
    }
}
