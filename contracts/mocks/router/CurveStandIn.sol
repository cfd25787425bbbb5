// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../TestToken.sol";

/// @title A pool that is called as Curve's are, over x * y with a fee
contract CurveStandIn {
    TestToken[2] private coins;

    constructor(TestToken coin0, TestToken coin1) {
        coins = [coin0, coin1];
    }

    function exchange(int128 i, int128 j, uint256 dx, uint256 minDy) external {
        trade(uint128(i), uint128(j), dx, minDy);
    }

    function exchange(uint256 i, uint256 j, uint256 dx, uint256 minDy) external payable returns (uint256) {
        return trade(i, j, dx, minDy);
    }

    function get_dy(uint256 i, uint256 j, uint256 dx) public view returns (uint256) {
        (uint256 x, uint256 y) = (coins[i].balanceOf(address(this)), coins[j].balanceOf(address(this)));
        return y * dx / (x + dx) * 9996 / 10_000;
    }

    function trade(uint256 i, uint256 j, uint256 dx, uint256 minDy) private returns (uint256 dy) {
        dy = get_dy(i, j, dx);
        require(dy >= minDy, "too little");
        coins[i].transferFrom(msg.sender, address(this), dx);
        coins[j].transfer(msg.sender, dy);
    }
}
