// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettle} from "contracts/interfaces/ISettle.sol";

/// @title Orders into the words of fills, as any client does it
library Orders {
    uint8 internal constant EXACT_OUT = 1;
    uint8 internal constant FILL_OR_KILL = 2;

    function pack(ISettle.Order memory order, address[] memory tokens, uint256 amountIn, uint256 amountOut)
        internal
        pure
        returns (ISettle.Fill memory)
    {
        return ISettle.Fill({
            who: (uint256(uint160(order.owner)) << 96) | (uint256(order.deadline) << 64)
                | (uint256(order.lane) << 32) | order.seq,
            terms: (uint256(uint160(order.receiver)) << 96) | (uint256(order.maxFeeBps) << 80)
                | (uint256(order.flags) << 72) | (indexOf(tokens, order.tokenIn) << 64)
                | (indexOf(tokens, order.tokenOut) << 56) | (order.matcher == address(0) ? 0 : 1 << 40),
            limits: (uint256(order.amountIn) << 128) | order.amountOut,
            amounts: (amountIn << 128) | amountOut,
            fee: 0,
            r: 0,
            vs: 0
        });
    }

    function indexOf(address[] memory tokens, address token) internal pure returns (uint256 index) {
        while (tokens[index] != token) ++index;
    }
}
