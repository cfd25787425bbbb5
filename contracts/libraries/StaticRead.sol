// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Many small reads without growing memory
/// @dev A high-level call allocates its whole answer, and memory costs its square: 1,000 ticks of
/// eight words each. This copies the two words that count to the scratch space.
library StaticRead {
    /// @notice The first words of `target`'s answer to `selector(argument)`, as the readable
    /// `abi.decode(target.staticcall(abi.encodeWithSelector(selector, argument)), (bytes32, bytes32))`.
    /// `second` is 0 if the answer is one word; an answer shorter than a word reverts.
    function words(address target, bytes4 selector, int256 argument)
        internal
        view
        returns (bytes32 first, bytes32 second)
    {
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, argument)
            let ok := staticcall(gas(), target, 0x00, 0x24, 0x00, 0x40)
            if or(iszero(ok), lt(returndatasize(), 0x20)) { revert(0x00, 0x00) }
            first := mload(0x00)
            if gt(returndatasize(), 0x3f) { second := mload(0x20) }
        }
    }
}
