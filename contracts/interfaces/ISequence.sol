// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Transactions of one account, tried one after another in a single call
/// @notice In an `eth_call` its runtime bytecode is put at the account's own address through a state override,
/// so that what it calls sees the account as caller. It calls whatever the account tells it to, and takes
/// orders from nobody else: an account that lends itself this code (EIP-7702) loses nothing by it.
interface ISequence {
    /// @notice One call.
    /// @param gasLimit Gas that the call is given, or all but a 64th of what is left if that is less
    struct Step {
        address to;
        uint256 value;
        uint256 gasLimit;
        bytes data;
    }

    /// @notice What a call came to.
    /// @param gasUsed Gas of the call before refunds, its own cost as a cold account included
    /// @param data What it returned, or its revert data
    struct Result {
        bool success;
        uint256 gasUsed;
        bytes data;
    }

    /// @notice Thrown when `run` is called by another than the account at whose address this code stands.
    error NotTheAccount(address caller);

    /// @notice Make the calls in their order, for the account itself; one that reverts does not stop those after it.
    function run(Step[] calldata steps) external payable returns (Result[] memory results);
}
