// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

/// @title Contracts as the package ships them: the bytecode that `make contracts` makes and commits
/// @dev What the tests themselves compile is not optimised, which takes an eighth of the time.
abstract contract Shipped is Test {
    function deployShipped(string memory name) internal returns (address) {
        return deployShipped(name, "");
    }

    function deployShipped(string memory name, bytes memory arguments) internal returns (address) {
        return deployCode(string.concat("onchain_exec/core/artifacts/", name, ".json"), arguments);
    }
}
