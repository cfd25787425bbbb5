// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Swallowed work that hands gas back
/// @notice It fills storage and clears it again: the refund hides a fifth of the gas at its peak, so the
/// gas used, taken as a limit, is too little for the work.
contract Refund {
    mapping(uint256 slot => uint256) private scratch;
    /// @notice Times the work was done.
    uint256 public done;
    /// @notice Times it was not.
    uint256 public failures;

    function run(uint256 slots) external {
        try this.work(slots) {
            ++done;
        } catch {
            ++failures;
        }
    }

    function work(uint256 slots) external {
        for (uint256 i; i < slots; ++i) {
            scratch[i] = 1;
        }
        for (uint256 i; i < slots; ++i) {
            scratch[i] = 0;
        }
    }
}
