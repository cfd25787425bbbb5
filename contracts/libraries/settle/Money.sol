// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettle} from "../../interfaces/ISettle.sol";

/// @title Tokens that answer true or nothing, and move what they are told to
/// @dev Assembly: calldata is laid out in memory that is free and stays free, and the answer is read where it
/// lies. The same by `abi.encodeCall` and `bytes memory answer` costs 1,100 gas more an order.
library Money {
    uint256 private constant BALANCE_OF = 0x70a08231 << 224;
    uint256 private constant TRANSFER = 0xa9059cbb << 224;
    uint256 private constant TRANSFER_FROM = 0x23b872dd << 224;

    function balanceOf(address token, address account) internal view returns (uint256 held) {
        bool answered;
        assembly ("memory-safe") {
            mstore(0, BALANCE_OF)
            mstore(4, account)
            answered := and(gt(returndatasize(), 31), staticcall(gas(), token, 0, 36, 0, 32))
            held := mload(0)
        }
        if (!answered) refuse(token, BALANCE_OF);
    }

    function transfer(address token, address to, uint256 amount) internal {
        bool accepted;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, TRANSFER)
            mstore(add(data, 4), to)
            mstore(add(data, 36), amount)
            accepted := call(gas(), token, 0, data, 68, 0, 32)
            switch returndatasize()
            case 0 { accepted := and(accepted, gt(extcodesize(token), 0)) }
            default { accepted := and(accepted, and(gt(returndatasize(), 31), eq(mload(0), 1))) }
        }
        if (!accepted) refuse(token, TRANSFER);
    }

    function transferFrom(address token, address from, address to, uint256 amount) internal {
        bool accepted;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, TRANSFER_FROM)
            mstore(add(data, 4), from)
            mstore(add(data, 36), to)
            mstore(add(data, 68), amount)
            accepted := call(gas(), token, 0, data, 100, 0, 32)
            switch returndatasize()
            case 0 { accepted := and(accepted, gt(extcodesize(token), 0)) }
            default { accepted := and(accepted, and(gt(returndatasize(), 31), eq(mload(0), 1))) }
        }
        if (!accepted) refuse(token, TRANSFER_FROM);
    }

    /// @notice Transfer, and see it arrive whole.
    function pay(address token, address to, uint256 amount) internal {
        uint256 before = balanceOf(token, to);
        transfer(token, to, amount);
        requireArrived(token, to, before, amount);
    }

    /// @notice Transfer from one account to another, and see it arrive whole.
    function move(address token, address from, address to, uint256 amount) internal {
        uint256 before = balanceOf(token, to);
        transferFrom(token, from, to, amount);
        requireArrived(token, to, before, amount);
    }

    function requireArrived(address token, address to, uint256 before, uint256 amount) private view {
        uint256 held = balanceOf(token, to);
        unchecked {
            // only a token whose balances are wrong anyway goes beyond 2^256
            if (held - before != amount) revert ISettle.TransferShort(token, held, before + amount);
        }
    }

    /// @dev What the token answered to its last call is still there to be told.
    function refuse(address token, uint256 selector) private pure {
        bytes memory answer;
        assembly ("memory-safe") {
            answer := mload(0x40)
            mstore(answer, returndatasize())
            returndatacopy(add(answer, 32), 0, returndatasize())
            mstore(0x40, add(add(answer, 32), returndatasize()))
        }
        revert ISettle.TokenCallFailed(token, bytes4(bytes32(selector)), answer);
    }
}
