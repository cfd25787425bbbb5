// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "./IRouter.sol";

/// @title An account's own calls, and the conditions that they must leave: all of it or nothing
/// @notice An account with a key lends itself this code (EIP-7702) and then calls itself, so that what is
/// called sees the account as its caller. A Safe, or any account that runs several calls at once, puts
/// `check` behind its own. Where it is deployed it calls nobody and takes no coin; it stores nothing
/// anywhere, has no owner and is not upgradable.
interface IGuard {
    /// @notice One call.
    struct Step {
        address to;
        uint256 value;
        bytes data;
    }

    /// @notice Emitted by the account after each call of `perform`: what was logged since the one before, or
    /// since it began, is the call's own.
    event Performed();

    /// @notice Thrown when `perform` is called by another than the account that lent itself this code.
    error NotTheAccount(address caller);
    /// @notice Thrown when coin is sent to this contract itself.
    error NotAnAccount();

    /// @notice Make the calls in their order, then check. Only the account may, by a transaction of its own.
    /// @dev What a call reverts with is passed on as it is. A check that fails reverts as in the Router:
    /// `CheckFailed` or `CheckUnanswered`.
    /// @param deadline Last unix second at which it may run; past it `DeadlinePassed` is thrown
    function perform(Step[] calldata steps, IRouter.Check[] calldata checks, uint256 deadline)
        external
        payable;

    /// @notice Revert unless all conditions hold.
    function check(IRouter.Check[] calldata checks) external view;

    /// @notice ERC-1271: with code at its address, the account still signs by its key.
    /// @return The interface's selector if `signature` (r, s, v) is the account's own, else 0xffffffff
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);

    /// @notice ERC-721: the account takes what it took before.
    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4);

    /// @notice ERC-1155: the account takes what it took before.
    function onERC1155Received(address, address, uint256, uint256, bytes calldata)
        external
        pure
        returns (bytes4);

    /// @notice ERC-1155: the account takes what it took before.
    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4);
}
