// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";

/// @title A v3 pool that asks for as much and as often as it is told to, gives nothing, and lies about it
contract GreedyPool {
    uint256 private immutable ASK;
    uint256 private immutable TIMES;

    constructor(uint256 ask, uint256 times) {
        (ASK, TIMES) = (ask, times);
    }

    function swap(address, bool zeroForOne, int256 amountSpecified, uint160, bytes calldata)
        external
        returns (int256 amount0, int256 amount1)
    {
        for (uint256 i = 0; i < TIMES; ++i) {
            IRouter(msg.sender).uniswapV3SwapCallback(int256(ASK), int256(ASK), "");
        }
        return zeroForOne ? (amountSpecified, -amountSpecified) : (-amountSpecified, amountSpecified);
    }
}
