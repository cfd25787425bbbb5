// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";

/// @title What the router knows during one swap, in transient storage
/// @dev Slot 0: the payer, and by that the lock. Slot 1: what may still be taken from the payer. Slot 2:
/// the v3 pool that is being called, with `FROM_PAYER` above it if the payer pays it. Slot 3: the
/// token that this pool is paid in. Assembly, because libraries have no `transient` variables.
library Session {
    uint256 private constant PAYER = 0;
    uint256 private constant BUDGET = 1;
    uint256 private constant POOL = 2;
    uint256 private constant TOKEN = 3;
    uint256 private constant FROM_PAYER = 1 << 160;

    /// @notice Lock the router for a swap that may take `budget` from `payer` by allowance.
    function open(address payer, uint256 budget) internal {
        if (load(PAYER) != 0) revert IRouter.Reentered();
        store(PAYER, uint160(payer));
        store(BUDGET, budget);
    }

    /// @notice Unlock it. A transaction may hold several swaps, one after the other: each sets its own budget.
    function close() internal {
        store(PAYER, 0);
    }

    /// @notice What may still be taken from the payer.
    function left() internal view returns (uint256) {
        return load(BUDGET);
    }

    /// @notice Count `amount` as taken and return the payer.
    function take(uint256 amount) internal returns (address payer) {
        uint256 budget = load(BUDGET);
        if (amount > budget) revert IRouter.AmountInExceeded(amount, budget);
        store(BUDGET, budget - amount);
        return address(uint160(load(PAYER)));
    }

    /// @notice Count `amount` as not taken after all and return the payer.
    function untake(uint256 amount) internal returns (address payer) {
        store(BUDGET, load(BUDGET) + amount);
        return address(uint160(load(PAYER)));
    }

    /// @notice Let `pool` call back once, to be paid in `token`.
    function expectCallback(address pool, address token, bool fromPayer) internal {
        store(POOL, uint160(pool) | (fromPayer ? FROM_PAYER : 0));
        store(TOKEN, uint160(token));
    }

    /// @notice Accept the callback of the pool that is expected, and of no other.
    function acceptCallback() internal returns (address token, bool fromPayer) {
        uint256 expected = load(POOL);
        if (expected == 0 || address(uint160(expected)) != msg.sender) {
            revert IRouter.UnexpectedCallback(msg.sender);
        }
        store(POOL, 0);
        return (address(uint160(load(TOKEN))), expected & FROM_PAYER != 0);
    }

    /// @notice Revert if `pool` has not called back.
    function requireCallback(address pool) internal view {
        if (load(POOL) != 0) revert IRouter.CallbackMissing(pool);
    }

    function load(uint256 slot) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := tload(slot)
        }
    }

    function store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            tstore(slot, word)
        }
    }
}
