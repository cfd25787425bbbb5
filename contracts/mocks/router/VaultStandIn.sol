// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../TestToken.sol";

/// @title A vault that is called as ERC-4626's are: shares for what its assets are worth, rounded down
contract VaultStandIn is TestToken {
    uint256 private constant WHOLE = 10_000;

    TestToken private immutable ASSET;
    uint256 private takenBps = WHOLE;
    uint256 private givenBps = WHOLE;

    constructor(TestToken asset) TestToken("Share", "SHR", 18) {
        ASSET = asset;
    }

    /// @notice Pull only a part of a deposit, and give only a part of its shares.
    function cheat(uint256 takenBps_, uint256 givenBps_) external {
        (takenBps, givenBps) = (takenBps_, givenBps_);
    }

    function previewDeposit(uint256 assets) public view returns (uint256) {
        return totalSupply == 0 ? assets : assets * totalSupply / ASSET.balanceOf(address(this));
    }

    function previewRedeem(uint256 shares) public view returns (uint256) {
        return shares * ASSET.balanceOf(address(this)) / totalSupply;
    }

    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        shares = previewDeposit(assets) * givenBps / WHOLE;
        ASSET.transferFrom(msg.sender, address(this), assets * takenBps / WHOLE);
        totalSupply += shares;
        balanceOf[receiver] += shares;
    }

    function redeem(uint256 shares, address receiver, address owner) external returns (uint256 assets) {
        require(owner == msg.sender, "not the owner");
        assets = previewRedeem(shares);
        totalSupply -= shares;
        balanceOf[owner] -= shares;
        ASSET.transfer(receiver, assets);
    }
}
