// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../TestToken.sol";

/// @title A pool that is called as Solidly's are, over x * y with a fee
contract SolidlyStandIn {
    TestToken private immutable TOKEN0;
    TestToken private immutable TOKEN1;
    uint256 private reserve0;
    uint256 private reserve1;

    constructor(TestToken token0, TestToken token1) {
        (TOKEN0, TOKEN1) = (token0, token1);
    }

    function sync() public {
        (reserve0, reserve1) = (TOKEN0.balanceOf(address(this)), TOKEN1.balanceOf(address(this)));
    }

    function getReserves() external view returns (uint256, uint256, uint256) {
        return (reserve0, reserve1, 0);
    }

    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256) {
        (uint256 x, uint256 y) = tokenIn == address(TOKEN0) ? (reserve0, reserve1) : (reserve1, reserve0);
        return net(amountIn) * y / (x + net(amountIn));
    }

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata) external {
        if (amount0Out != 0) TOKEN0.transfer(to, amount0Out);
        if (amount1Out != 0) TOKEN1.transfer(to, amount1Out);
        uint256 k = reserve0 * reserve1;
        uint256 in0 = TOKEN0.balanceOf(address(this)) + amount0Out - reserve0;
        uint256 in1 = TOKEN1.balanceOf(address(this)) + amount1Out - reserve1;
        require((reserve0 + net(in0) - amount0Out) * (reserve1 + net(in1) - amount1Out) >= k, "K");
        sync();
    }

    function net(uint256 amount) private pure returns (uint256) {
        return amount - amount * 30 / 10_000;
    }
}
