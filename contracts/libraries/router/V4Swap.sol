// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IPoolManager} from "../../interfaces/venues/IPoolManager.sol";
import {Funds} from "./Funds.sol";
import {Tokens} from "./Tokens.sol";
import {V3Swap} from "./V3Swap.sol";

/// @title Pools inside Uniswap v4's PoolManager, which calls back once it is unlocked
library V4Swap {
    using Funds for IRouter.Hop;
    using Funds for uint256;

    /// @dev What the PoolManager hands back to the callback, as it was.
    struct Plan {
        IPoolManager.PoolKey key;
        IPoolManager.SwapParams params;
        bool fromPayer;
        address to;
    }

    function swap(IPoolManager manager, IRouter.Hop calldata hop, address to) internal {
        Plan memory plan;
        bool zeroForOne = hop.zeroForOne();
        (plan.key.currency0, plan.key.currency1) =
            zeroForOne ? (hop.tokenIn, hop.tokenOut) : (hop.tokenOut, hop.tokenIn);
        plan.key.fee = uint24(uint256(hop.data) >> 24);
        plan.key.tickSpacing = int24(uint24(uint256(hop.data)));
        plan.key.hooks = hop.pool;
        plan.params.zeroForOne = zeroForOne;
        plan.params.amountSpecified = hop.exactOut ? hop.amount.toSigned() : -hop.amountIn().toSigned();
        plan.params.sqrtPriceLimitX96 = zeroForOne ? V3Swap.LOWEST_SQRT_PRICE : V3Swap.HIGHEST_SQRT_PRICE;
        plan.fromPayer = hop.input == IRouter.Input.PAYER;
        plan.to = to;
        manager.unlock(abi.encode(plan));
    }

    /// @notice The callback: swap, pay what the manager is owed, take what it owes.
    function run(IPoolManager manager, bytes calldata data) internal {
        if (msg.sender != address(manager)) revert IRouter.UnexpectedCallback(msg.sender);
        Plan memory plan = abi.decode(data, (Plan));
        int256 delta = manager.swap(plan.key, plan.params, "");
        (int256 owed, int256 due) = (delta >> 128, int128(delta));
        (address tokenIn, address tokenOut) = (plan.key.currency0, plan.key.currency1);
        if (!plan.params.zeroForOne) {
            (owed, due) = (due, owed);
            (tokenIn, tokenOut) = (tokenOut, tokenIn);
        }
        (uint256 taken, uint256 given) = (uint256(-owed), uint256(due));
        requireFilled(plan, taken, given);
        if (tokenIn == Tokens.NATIVE) {
            manager.settle{value: taken}();
        } else {
            manager.sync(tokenIn);
            Funds.pay(tokenIn, plan.fromPayer, address(manager), taken);
            manager.settle();
        }
        manager.take(tokenOut, plan.to, given);
    }

    function requireFilled(Plan memory plan, uint256 taken, uint256 given) private pure {
        int256 asked = plan.params.amountSpecified;
        (uint256 amount, uint256 filled) = asked < 0 ? (uint256(-asked), taken) : (uint256(asked), given);
        if (filled != amount) revert IRouter.PartialFill(plan.key.hooks, amount, filled);
    }
}
