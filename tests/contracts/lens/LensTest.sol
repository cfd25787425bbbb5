// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shipped} from "../Shipped.sol";
import {PlainLens} from "./PlainLens.sol";
import {Lens} from "contracts/Lens.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";

/// @title Two tokens, the lens, its plain twin, and random layouts of positions
abstract contract LensTest is Shipped {
    struct Position {
        int24 tickLower;
        int24 tickUpper;
        uint128 liquidity;
    }

    int24 private constant MAX_TICK = 887_272;

    Lens internal lens = Lens(deployShipped("Lens"));
    PlainLens internal plain = new PlainLens();
    TestToken internal token0 = new TestToken("Zero", "T0", 18);
    TestToken internal token1 = new TestToken("One", "T1", 6);

    constructor() {
        if (address(token0) > address(token1)) (token0, token1) = (token1, token0);
    }

    /// @dev Up to eight positions whose ticks lie within six bitmap words around a random tick.
    function drawPositions(uint256 seed, int24 tickSpacing)
        internal
        pure
        returns (Position[] memory positions)
    {
        int256 highest = MAX_TICK / tickSpacing;
        positions = new Position[](1 + draw(seed, "count") % 8);
        int256 center = bound(int256(draw(seed, "center")), -highest, highest);
        for (uint256 i = 0; i < positions.length; ++i) {
            uint256 own = draw(seed, bytes32(i));
            int256 lower = clamp(center + int256(own % 1536) - 768, -highest, highest - 1);
            int256 upper = clamp(lower + 1 + int256((own >> 64) % 600), lower + 1, highest);
            positions[i] = Position(
                int24(lower * tickSpacing), int24(upper * tickSpacing), uint128(1 + (own >> 128) % 1e18)
            );
        }
    }

    /// @dev `count` nested positions: twice as many ticks, from `-count` to `count` spacings, without 0.
    function ladder(int24 count, int24 tickSpacing) internal pure returns (Position[] memory positions) {
        positions = new Position[](uint24(count));
        for (int24 i = 0; i < count; ++i) {
            positions[uint24(i)] = Position(-(i + 1) * tickSpacing, (i + 1) * tickSpacing, 1e18);
        }
    }

    /// @dev A price anywhere in the pool's domain, each power of two as likely as another.
    function drawSqrtPrice(uint256 seed) internal pure returns (uint160) {
        uint256 power = 33 + draw(seed, "power") % 126;
        return uint160((1 << power) + draw(seed, "price") % (1 << power));
    }

    /// @dev The first and last bitmap word that `positions` touch.
    function wordsOf(Position[] memory positions, int24 tickSpacing)
        internal
        pure
        returns (int16 from, int16 to)
    {
        (from, to) = (type(int16).max, type(int16).min);
        for (uint256 i = 0; i < positions.length; ++i) {
            int16 lower = int16((positions[i].tickLower / tickSpacing) >> 8);
            int16 upper = int16((positions[i].tickUpper / tickSpacing) >> 8);
            if (lower < from) from = lower;
            if (upper > to) to = upper;
        }
    }

    function unpack(uint256 packed) internal pure returns (int24 tick, int128 liquidityNet) {
        return (int24(uint24(packed)), int128(uint128(packed >> 24)));
    }

    function draw(uint256 seed, bytes32 what) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what)));
    }

    function clamp(int256 value, int256 low, int256 high) private pure returns (int256) {
        return value < low ? low : value > high ? high : value;
    }
}
