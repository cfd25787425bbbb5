// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The wrapped native coin
interface IWrapped {
    function deposit() external payable;
    function withdraw(uint256 amount) external;
}
