// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExtsload} from "./interfaces/IExtsload.sol";
import {ILens} from "./interfaces/ILens.sol";
import {IV3Pool} from "./interfaces/IV3Pool.sol";
import {TickWords} from "./libraries/TickWords.sol";
import {V4Storage} from "./libraries/V4Storage.sol";

contract Lens is ILens {
    /// @inheritdoc ILens
    function getV3Pool(address pool, int16 wordFrom, int16 wordTo)
        external
        view
        returns (V3State memory state)
    {
        (state.sqrtPriceX96, state.tick) = IV3Pool(pool).slot0();
        state.liquidity = IV3Pool(pool).liquidity();
        state.fee = IV3Pool(pool).fee();
        state.tickSpacing = IV3Pool(pool).tickSpacing();
        state.token0 = IV3Pool(pool).token0();
        state.token1 = IV3Pool(pool).token1();

        bytes32[] memory words = new bytes32[](TickWords.length(wordFrom, wordTo));
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = bytes32(IV3Pool(pool).tickBitmap(int16(int256(wordFrom) + int256(i))));
        }
        int24[] memory ticks = TickWords.list(words, wordFrom, state.tickSpacing);
        (state.ticks, state.liquidityGross) = (new uint256[](ticks.length), new uint128[](ticks.length));
        for (uint256 i = 0; i < ticks.length; ++i) {
            int128 liquidityNet;
            (state.liquidityGross[i], liquidityNet) = IV3Pool(pool).ticks(ticks[i]);
            state.ticks[i] = TickWords.pack(ticks[i], liquidityNet);
        }
    }

    /// @inheritdoc ILens
    function getV4Pool(address poolManager, bytes32 poolId, int24 tickSpacing, int16 wordFrom, int16 wordTo)
        external
        view
        returns (V4State memory state)
    {
        uint256 pool = V4Storage.poolSlot(poolId);
        bytes32[] memory slots = new bytes32[](2);
        slots[0] = bytes32(pool);
        slots[1] = V4Storage.liquiditySlot(pool);
        bytes32[] memory head = IExtsload(poolManager).extsload(slots);
        (state.sqrtPriceX96, state.tick, state.protocolFee, state.lpFee) = V4Storage.unpackSlot0(head[0]);
        state.liquidity = uint128(uint256(head[1]));

        slots = new bytes32[](TickWords.length(wordFrom, wordTo));
        for (uint256 i = 0; i < slots.length; ++i) {
            slots[i] = V4Storage.bitmapSlot(pool, int256(wordFrom) + int256(i));
        }
        bytes32[] memory words = IExtsload(poolManager).extsload(slots);
        int24[] memory ticks = TickWords.list(words, wordFrom, tickSpacing);
        slots = new bytes32[](ticks.length);
        for (uint256 i = 0; i < ticks.length; ++i) {
            slots[i] = V4Storage.tickSlot(pool, ticks[i]);
        }
        bytes32[] memory infos = IExtsload(poolManager).extsload(slots);
        (state.ticks, state.liquidityGross) = (new uint256[](ticks.length), new uint128[](ticks.length));
        for (uint256 i = 0; i < ticks.length; ++i) {
            int128 liquidityNet;
            (state.liquidityGross[i], liquidityNet) = V4Storage.unpackLiquidity(infos[i]);
            state.ticks[i] = TickWords.pack(ticks[i], liquidityNet);
        }
    }
}
