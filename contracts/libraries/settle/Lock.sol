// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettle} from "../../interfaces/ISettle.sol";

/// @title One settlement at a time, by a word of transient storage
/// @dev Assembly, because libraries have no `transient` variables.
library Lock {
    uint256 private constant SLOT = 0;

    function close() internal {
        uint256 closed;
        assembly ("memory-safe") {
            closed := tload(SLOT)
            tstore(SLOT, 1)
        }
        if (closed != 0) revert ISettle.Reentered();
    }

    function open() internal {
        assembly ("memory-safe") {
            tstore(SLOT, 0)
        }
    }
}
