// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IPair} from "../../interfaces/venues/IPair.sol";
import {Funds} from "./Funds.sol";
import {Tokens} from "./Tokens.sol";

/// @title Pools that are paid first and asked for the output then: Uniswap v2 and Solidly
/// @dev An exact input is what has arrived in the pool: right for tokens that take a fee as well.
library PairSwap {
    using Funds for IRouter.Hop;
    using Tokens for address;

    uint256 private constant PIPS = 1e6;

    function swapV2(IRouter.Hop calldata hop, address to) internal {
        (uint256 reserveIn, uint256 reserveOut) = reserves(hop);
        uint256 keep = PIPS - uint256(hop.data);
        uint256 amountOut = hop.amount;
        if (hop.exactOut) {
            // UniswapV2Library.getAmountIn: rounded up, for the pair
            hop.payPool(reserveIn * amountOut * PIPS / ((reserveOut - amountOut) * keep) + 1);
        } else {
            // UniswapV2Library.getAmountOut: rounded down, for the pair
            uint256 kept = receiveInput(hop, reserveIn) * keep;
            amountOut = kept * reserveOut / (reserveIn * PIPS + kept);
        }
        give(hop, amountOut, to);
    }

    function swapSolidly(IRouter.Hop calldata hop, address to) internal {
        hop.requireExactIn();
        (uint256 reserveIn,) = reserves(hop);
        uint256 amountIn = receiveInput(hop, reserveIn);
        give(hop, IPair(hop.pool).getAmountOut(amountIn, hop.tokenIn), to);
    }

    function reserves(IRouter.Hop calldata hop) private view returns (uint256, uint256) {
        (uint256 reserve0, uint256 reserve1,) = IPair(hop.pool).getReserves();
        return hop.zeroForOne() ? (reserve0, reserve1) : (reserve1, reserve0);
    }

    function receiveInput(IRouter.Hop calldata hop, uint256 reserveIn) private returns (uint256) {
        if (hop.input != IRouter.Input.POOL) hop.payPool(hop.amountIn());
        return hop.tokenIn.balanceOf(hop.pool) - reserveIn;
    }

    function give(IRouter.Hop calldata hop, uint256 amountOut, address to) private {
        (uint256 amount0, uint256 amount1) = hop.zeroForOne() ? (uint256(0), amountOut) : (amountOut, 0);
        IPair(hop.pool).swap(amount0, amount1, to, "");
    }
}
