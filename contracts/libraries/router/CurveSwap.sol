// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {ICurvePool} from "../../interfaces/venues/ICurvePool.sol";
import {Funds} from "./Funds.sol";
import {Tokens} from "./Tokens.sol";

/// @title Pools of Curve: they pull the input, and what they give is measured
library CurveSwap {
    using Funds for IRouter.Hop;
    using Tokens for address;

    uint256 private constant UNSIGNED = 1 << 16;

    function swap(IRouter.Hop calldata hop, address to) internal {
        hop.requireExactIn();
        uint256 amountIn = hop.amountIn();
        hop.collect(amountIn);
        uint256 before = hop.tokenOut.balanceOf(address(this));
        hop.tokenIn.approve(hop.pool, amountIn);
        exchange(ICurvePool(hop.pool), uint256(hop.data), amountIn);
        hop.tokenIn.disapprove(hop.pool);
        if (to != address(this)) {
            hop.tokenOut.transfer(to, hop.tokenOut.balanceOf(address(this)) - before);
        }
    }

    function exchange(ICurvePool pool, uint256 data, uint256 amountIn) private {
        (uint256 i, uint256 j) = (uint8(data), uint8(data >> 8));
        if (data & UNSIGNED != 0) {
            pool.exchange(i, j, amountIn, 0);
        } else {
            pool.exchange(int128(uint128(i)), int128(uint128(j)), amountIn, 0);
        }
    }
}
