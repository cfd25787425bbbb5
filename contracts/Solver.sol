// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "./interfaces/IRouter.sol";
import {ISettle, ISettleCallback} from "./interfaces/ISettle.sol";
import {ISolver} from "./interfaces/ISolver.sol";
import {Tokens} from "./libraries/router/Tokens.sol";

contract Solver is ISolver {
    using Tokens for address;

    address private immutable OWNER;
    ISettle private immutable SETTLE;
    IRouter private immutable ROUTER;

    /// @param owner_ Who alone may settle
    /// @param settle_ Where the batches go
    /// @param router What the swaps run through
    constructor(address owner_, ISettle settle_, IRouter router) {
        OWNER = owner_;
        SETTLE = settle_;
        ROUTER = router;
    }

    /// @inheritdoc ISolver
    function settle(
        Batch calldata batch,
        Swap[] calldata swaps,
        Due[] calldata dues,
        address surplusTo,
        uint256 deadline
    ) external {
        if (msg.sender != OWNER) revert NotOwner(msg.sender);
        if (block.timestamp > deadline) revert DeadlinePassed(deadline, block.timestamp);
        bytes memory data = swaps.length + dues.length == 0 ? bytes("") : abi.encode(swaps, dues);
        SETTLE.settle(batch.tokens, batch.prices, batch.fills, batch.signatures, batch.advances, data);
        for (uint256 i = 0; i < batch.tokens.length; ++i) {
            sweep(batch.tokens[i], surplusTo);
        }
        for (uint256 i = 0; i < swaps.length; ++i) {
            sweep(swaps[i].terms.tokenOut, surplusTo);
        }
    }

    /// @inheritdoc ISettleCallback
    /// @dev Settle calls back the sender of a batch alone, so this is within a batch of the owner's.
    function onSettle(address[] calldata tokens, bytes calldata data) external {
        if (msg.sender != address(SETTLE)) revert NotSettle(msg.sender);
        (Swap[] memory swaps, Due[] memory dues) = abi.decode(data, (Swap[], Due[]));
        for (uint256 i = 0; i < swaps.length; ++i) {
            swap(swaps[i].terms, swaps[i].hops);
        }
        for (uint256 i = 0; i < dues.length; ++i) {
            tokens[dues[i].token].transfer(address(SETTLE), dues[i].amount);
        }
    }

    /// @inheritdoc ISolver
    function owner() external view returns (address) {
        return OWNER;
    }

    function swap(IRouter.Terms memory terms, IRouter.Hop[] memory hops) private {
        terms.tokenIn.approve(address(ROUTER), terms.amountInMax);
        (uint256 amountIn,) = ROUTER.swap(terms, hops, new IRouter.Check[](0));
        if (amountIn != terms.amountInMax) terms.tokenIn.approve(address(ROUTER), 0);
    }

    function sweep(address token, address surplusTo) private {
        uint256 amount = token.balanceOf(address(this));
        if (amount != 0) token.transfer(surplusTo, amount);
    }
}
