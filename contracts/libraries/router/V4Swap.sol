// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IPoolManager} from "../../interfaces/venues/IPoolManager.sol";
import {Funds} from "./Funds.sol";
import {Tokens} from "./Tokens.sol";
import {V3Swap} from "./V3Swap.sol";

/// @title Pools inside Uniswap v4's PoolManager, which calls back once it is unlocked
/// @dev Hops that feed one another run under one unlock: what flows between them never leaves the manager.
library V4Swap {
    using Funds for IRouter.Hop;
    using Funds for uint256;

    /// @dev What the PoolManager hands back to the callback, as it was.
    struct Plan {
        Step[] steps;
        int256 amountSpecified;
        bool fromPayer;
        address to;
    }

    /// @dev One swap of the chain; each but the first takes what the one before it gave.
    struct Step {
        IPoolManager.PoolKey key;
        bool zeroForOne;
    }

    /// @notice Swap through `hops` in a row; the first names the amount and the payer.
    function swap(IPoolManager manager, IRouter.Hop[] calldata hops, address to) internal {
        Plan memory plan;
        plan.steps = new Step[](hops.length);
        for (uint256 i = 0; i < hops.length; ++i) {
            fill(plan.steps[i], hops[i]);
        }
        IRouter.Hop calldata first = hops[0];
        plan.amountSpecified = first.exactOut ? first.amount.toSigned() : -first.amountIn().toSigned();
        plan.fromPayer = first.input == IRouter.Input.PAYER;
        plan.to = to;
        manager.unlock(abi.encode(plan));
    }

    /// @notice The callback: swap, pay what the manager is owed, take what it owes.
    function run(IPoolManager manager, bytes calldata data) internal {
        if (msg.sender != address(manager)) revert IRouter.UnexpectedCallback(msg.sender);
        Plan memory plan = abi.decode(data, (Plan));
        Step memory step = plan.steps[0];
        (uint256 taken, uint256 given) = swapOne(manager, step, plan.amountSpecified);
        pay(manager, step, taken, plan.fromPayer);
        for (uint256 i = 1; i < plan.steps.length; ++i) {
            step = plan.steps[i];
            (, given) = swapOne(manager, step, -given.toSigned());
        }
        manager.take(step.zeroForOne ? step.key.currency1 : step.key.currency0, plan.to, given);
    }

    function fill(Step memory step, IRouter.Hop calldata hop) private pure {
        step.zeroForOne = hop.zeroForOne();
        (step.key.currency0, step.key.currency1) =
            step.zeroForOne ? (hop.tokenIn, hop.tokenOut) : (hop.tokenOut, hop.tokenIn);
        step.key.fee = uint24(uint256(hop.data) >> 24);
        step.key.tickSpacing = int24(uint24(uint256(hop.data)));
        step.key.hooks = hop.pool;
    }

    function swapOne(IPoolManager manager, Step memory step, int256 asked)
        private
        returns (uint256 taken, uint256 given)
    {
        uint160 limit = step.zeroForOne ? V3Swap.LOWEST_SQRT_PRICE : V3Swap.HIGHEST_SQRT_PRICE;
        int256 delta = manager.swap(step.key, IPoolManager.SwapParams(step.zeroForOne, asked, limit), "");
        (int256 owed, int256 due) = (delta >> 128, int128(delta));
        if (!step.zeroForOne) (owed, due) = (due, owed);
        (taken, given) = (uint256(-owed), uint256(due));
        (uint256 amount, uint256 filled) = asked < 0 ? (uint256(-asked), taken) : (uint256(asked), given);
        if (filled != amount) revert IRouter.PartialFill(step.key.hooks, amount, filled);
    }

    function pay(IPoolManager manager, Step memory step, uint256 amount, bool fromPayer) private {
        address token = step.zeroForOne ? step.key.currency0 : step.key.currency1;
        if (token == Tokens.NATIVE) {
            manager.settle{value: amount}();
        } else {
            manager.sync(token);
            Funds.pay(token, fromPayer, address(manager), amount);
            manager.settle();
        }
    }
}
