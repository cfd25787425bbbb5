// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IV3Pool} from "../../interfaces/IV3Pool.sol";

/// @title A pool that answers as Slipstream's do: another pool's state, under a fee that may change
contract SlipstreamStandIn {
    IV3Pool private immutable POOL;
    uint24 public fee;

    constructor(IV3Pool pool) {
        POOL = pool;
        fee = pool.fee();
    }

    function setFee(uint24 fee_) external {
        fee = fee_;
    }

    /// @dev The last word says that the pool is unlocked; there is no protocol's fee before it.
    function slot0() external view returns (uint160 sqrtPriceX96, int24 tick, uint16, uint16, uint16, bool) {
        (sqrtPriceX96, tick) = POOL.slot0();
        return (sqrtPriceX96, tick, 0, 1, 1, true);
    }

    /// @dev Ten words, the third being the liquidity that is staked in the gauge.
    function ticks(int24 tick)
        external
        view
        returns (uint128 gross, int128 net, int128 staked, uint256[7] memory outside)
    {
        (gross, net) = POOL.ticks(tick);
        staked = net / 2;
        outside[6] = gross == 0 ? 0 : 1; // whether it is initialised
    }

    function liquidity() external view returns (uint128) {
        return POOL.liquidity();
    }

    function tickSpacing() external view returns (int24) {
        return POOL.tickSpacing();
    }

    function token0() external view returns (address) {
        return POOL.token0();
    }

    function token1() external view returns (address) {
        return POOL.token1();
    }

    function tickBitmap(int16 word) external view returns (uint256) {
        return POOL.tickBitmap(word);
    }
}
