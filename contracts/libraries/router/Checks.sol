// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";

/// @title Conditions on the state that a swap leaves
library Checks {
    uint256 private constant WORD = 32;

    function run(IRouter.Check[] calldata checks) internal view {
        for (uint256 i = 0; i < checks.length; ++i) {
            IRouter.Check calldata check = checks[i];
            (bool success, bytes memory answer) = check.target.staticcall(check.data);
            if (!success || answer.length / WORD <= check.word) revert IRouter.CheckUnanswered(i, answer);
            uint256 found = wordOf(answer, check.word);
            if (!holds(check.comparison, found, check.bound)) {
                revert IRouter.CheckFailed(i, found, check.bound);
            }
        }
    }

    function holds(IRouter.Comparison comparison, uint256 found, uint256 bound) private pure returns (bool) {
        if (comparison == IRouter.Comparison.AT_LEAST) return found >= bound;
        if (comparison == IRouter.Comparison.AT_MOST) return found <= bound;
        if (comparison == IRouter.Comparison.EQUAL) return found == bound;
        if (comparison == IRouter.Comparison.SIGNED_AT_LEAST) return int256(found) >= int256(bound);
        return int256(found) <= int256(bound);
    }

    /// @dev `abi.decode` of one word out of many; the caller has checked that it is there.
    function wordOf(bytes memory answer, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(answer, WORD), mul(index, WORD)))
        }
    }
}
