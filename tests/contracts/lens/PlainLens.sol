// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolManager} from "./IPoolManager.sol";
import {ILens} from "contracts/interfaces/ILens.sol";
import {IV3Pool} from "contracts/interfaces/IV3Pool.sol";

/// @title What the lens says, in the plainest code: one read after another, bit after bit
contract PlainLens is ILens {
    function getV3Pool(address target, int16 wordFrom, int16 wordTo)
        external
        view
        returns (V3State memory state)
    {
        IV3Pool pool = IV3Pool(target);
        (state.sqrtPriceX96, state.tick) = pool.slot0();
        (state.liquidity, state.fee, state.tickSpacing) = (pool.liquidity(), pool.fee(), pool.tickSpacing());
        (state.token0, state.token1) = (pool.token0(), pool.token1());
        for (int256 word = wordFrom; word <= wordTo; ++word) {
            uint256 flags = pool.tickBitmap(int16(word));
            for (int256 bit = 0; bit < 256; ++bit) {
                if ((flags >> uint256(bit)) & 1 == 0) continue;
                int24 tick = int24((word * 256 + bit) * state.tickSpacing);
                (uint128 liquidityGross, int128 liquidityNet) = pool.ticks(tick);
                state.ticks = append(state.ticks, tick, liquidityNet);
                state.liquidityGross = append(state.liquidityGross, liquidityGross);
            }
        }
    }

    function getV4Pool(address poolManager, bytes32 poolId, int24 tickSpacing, int16 wordFrom, int16 wordTo)
        external
        view
        returns (V4State memory state)
    {
        IPoolManager manager = IPoolManager(poolManager);
        bytes32 slot = keccak256(abi.encode(poolId, 6));
        bytes32 slot0 = manager.extsload(slot);
        state.sqrtPriceX96 = uint160(uint256(slot0));
        state.tick = int24(uint24(uint256(slot0) >> 160));
        state.protocolFee = uint24(uint256(slot0) >> 184);
        state.lpFee = uint24(uint256(slot0) >> 208);
        state.liquidity = uint128(uint256(manager.extsload(bytes32(uint256(slot) + 3))));
        for (int256 word = wordFrom; word <= wordTo; ++word) {
            uint256 flags = uint256(manager.extsload(keccak256(abi.encode(word, uint256(slot) + 5))));
            for (int256 bit = 0; bit < 256; ++bit) {
                if ((flags >> uint256(bit)) & 1 == 0) continue;
                int24 tick = int24((word * 256 + bit) * tickSpacing);
                bytes32 info = manager.extsload(keccak256(abi.encode(tick, uint256(slot) + 4)));
                state.ticks = append(state.ticks, tick, int128(uint128(uint256(info) >> 128)));
                state.liquidityGross = append(state.liquidityGross, uint128(uint256(info)));
            }
        }
    }

    function append(uint256[] memory ticks, int24 tick, int128 liquidityNet)
        private
        pure
        returns (uint256[] memory longer)
    {
        longer = new uint256[](ticks.length + 1);
        for (uint256 i = 0; i < ticks.length; ++i) {
            longer[i] = ticks[i];
        }
        longer[ticks.length] = uint256(uint24(tick)) + uint256(uint128(liquidityNet)) * 2 ** 24;
    }

    function append(uint128[] memory values, uint128 value) private pure returns (uint128[] memory longer) {
        longer = new uint128[](values.length + 1);
        for (uint256 i = 0; i < values.length; ++i) {
            longer[i] = values[i];
        }
        longer[values.length] = value;
    }
}
