// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../TestToken.sol";
import {SolidlyFactoryStandIn} from "./SolidlyFactoryStandIn.sol";

/// @title A pool that answers as Aerodrome's do
/// @notice Written from the curves alone: what is out is found by bisection, the smallest reserve that keeps k.
contract SolidlyStandIn {
    event Swap(
        address indexed sender,
        address indexed to,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out
    );
    event Sync(uint256 reserve0, uint256 reserve1);

    TestToken private immutable TOKEN0;
    TestToken private immutable TOKEN1;
    bool private immutable STABLE;
    SolidlyFactoryStandIn public immutable factory;
    address private constant FEES = address(0xFEE5);
    uint256[2] private reserves;

    constructor(TestToken token0, TestToken token1, bool stable) {
        (TOKEN0, TOKEN1, STABLE, factory) = (token0, token1, stable, SolidlyFactoryStandIn(msg.sender));
    }

    function metadata() external view returns (uint256, uint256, uint256, uint256, bool, address, address) {
        return (unit(0), unit(1), reserves[0], reserves[1], STABLE, address(TOKEN0), address(TOKEN1));
    }

    function sync() public {
        reserves = [TOKEN0.balanceOf(address(this)), TOKEN1.balanceOf(address(this))];
        emit Sync(reserves[0], reserves[1]);
    }

    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256) {
        uint256 side = tokenIn == address(TOKEN0) ? 0 : 1;
        uint256 paid = amountIn - fee(amountIn);
        if (!STABLE) return paid * reserves[1 - side] / (reserves[side] + paid);
        uint256 x = reserves[side] * 1e18 / unit(side) + paid * 1e18 / unit(side);
        uint256 y = scaled(1 - side);
        uint256 k = curve(scaled(0), scaled(1));
        (uint256 low, uint256 high) = (0, y);
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (curve(x, middle) < k) low = middle + 1;
            else high = middle;
        }
        return (y - high) * unit(1 - side) / 1e18;
    }

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata) external {
        uint256 k = STABLE ? curve(scaled(0), scaled(1)) : reserves[0] * reserves[1];
        if (amount0Out != 0) TOKEN0.transfer(to, amount0Out);
        if (amount1Out != 0) TOKEN1.transfer(to, amount1Out);
        uint256 in0 = TOKEN0.balanceOf(address(this)) + amount0Out - reserves[0];
        uint256 in1 = TOKEN1.balanceOf(address(this)) + amount1Out - reserves[1];
        if (fee(in0) != 0) TOKEN0.transfer(FEES, fee(in0));
        if (fee(in1) != 0) TOKEN1.transfer(FEES, fee(in1));
        sync();
        require((STABLE ? curve(scaled(0), scaled(1)) : reserves[0] * reserves[1]) >= k, "K");
        emit Swap(msg.sender, to, in0, in1, amount0Out, amount1Out);
    }

    function fee(uint256 amount) private view returns (uint256) {
        return amount * factory.getFee(address(this), STABLE) / 10_000;
    }

    function unit(uint256 side) private view returns (uint256) {
        return 10 ** (side == 0 ? TOKEN0 : TOKEN1).decimals();
    }

    function scaled(uint256 side) private view returns (uint256) {
        return reserves[side] * 1e18 / unit(side);
    }

    function curve(uint256 x, uint256 y) private pure returns (uint256) {
        return (x * y / 1e18) * (x * x / 1e18 + y * y / 1e18) / 1e18;
    }
}
