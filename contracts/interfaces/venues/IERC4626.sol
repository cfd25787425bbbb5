// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title What the router asks of a vault of ERC-4626
interface IERC4626 {
    /// @notice Pull `assets` of the caller's and give shares of them to `receiver`.
    function deposit(uint256 assets, address receiver) external returns (uint256 shares);

    /// @notice Burn `shares` of the owner's, who is the caller, and give their assets to `receiver`.
    function redeem(uint256 shares, address receiver, address owner) external returns (uint256 assets);
}
