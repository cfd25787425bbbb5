// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Work whose size depends on the block
/// @notice Ten times the work in every second block: an estimate made for one is wrong for the next.
contract TimeDep {
    /// @notice Times the work was done.
    uint256 public done;
    /// @notice Times it was not.
    uint256 public failures;

    function run(uint256 rounds) external {
        try this.work(block.number % 2 == 0 ? rounds : 10 * rounds) {
            ++done;
        } catch {
            ++failures;
        }
    }

    function work(uint256 rounds) external pure returns (bytes32 hash) {
        for (uint256 i; i < rounds; ++i) {
            hash = keccak256(abi.encode(hash, i));
        }
    }
}
