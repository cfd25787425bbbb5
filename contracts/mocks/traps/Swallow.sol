// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Work in an inner call whose failure is swallowed
/// @notice With too little gas the inner call starves, and the transaction succeeds all the same on the
/// sixty-fourth that was kept back: a search for the least limit that succeeds ends there.
contract Swallow {
    /// @notice Times the work was done.
    uint256 public done;
    /// @notice Times it was not.
    uint256 public failures;

    function run(uint256 rounds) external {
        try this.work(rounds) {
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
