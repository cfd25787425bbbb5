// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The two ways in which Curve's pools swap; what they return differs by age and is not read
interface ICurvePool {
    function exchange(int128 i, int128 j, uint256 dx, uint256 minDy) external;
    function exchange(uint256 i, uint256 j, uint256 dx, uint256 minDy) external;
}
