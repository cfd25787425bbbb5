// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IV3Swap} from "../../interfaces/venues/IV3Swap.sol";
import {Funds} from "./Funds.sol";
import {Session} from "./Session.sol";

/// @title Pools that give first and call back for the input: Uniswap v3 and its kin
library V3Swap {
    using Funds for IRouter.Hop;
    using Funds for uint256;

    uint160 internal constant LOWEST_SQRT_PRICE = 4295128739 + 1;
    uint160 internal constant HIGHEST_SQRT_PRICE = 1461446703485210103287273052203988822378723970342 - 1;

    function swap(IRouter.Hop calldata hop, address to) internal {
        bool zeroForOne = hop.zeroForOne();
        uint256 amount = hop.exactOut ? hop.amount : hop.amountIn();
        Session.expectCallback(hop.pool, hop.tokenIn, hop.input == IRouter.Input.PAYER);
        (int256 amount0, int256 amount1) = IV3Swap(hop.pool)
            .swap(
                to,
                zeroForOne,
                hop.exactOut ? -amount.toSigned() : amount.toSigned(),
                zeroForOne ? LOWEST_SQRT_PRICE : HIGHEST_SQRT_PRICE,
                ""
            );
        Session.requireCallback(hop.pool);
        (int256 taken, int256 given) = zeroForOne ? (amount0, amount1) : (amount1, amount0);
        unchecked {
            hop.requireFilled(amount, uint256(taken), uint256(-given));
        }
    }

    /// @notice The callback: pay the one side that is positive.
    function pay(int256 amount0, int256 amount1) internal {
        (address token, bool fromPayer) = Session.acceptCallback();
        Funds.pay(token, fromPayer, msg.sender, uint256(amount0 > 0 ? amount0 : amount1));
    }
}
