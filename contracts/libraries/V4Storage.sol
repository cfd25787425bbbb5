// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Where Uniswap v4's PoolManager keeps a pool
/// @dev `mapping(PoolId => Pool.State) _pools` is at slot 6. `Pool.State` holds slot0, two fee
/// growths, liquidity, `mapping(int24 => TickInfo) ticks`, `mapping(int16 => uint256) tickBitmap`.
library V4Storage {
    uint256 private constant POOLS_SLOT = 6;
    uint256 private constant LIQUIDITY_OFFSET = 3;
    uint256 private constant TICKS_OFFSET = 4;
    uint256 private constant BITMAP_OFFSET = 5;

    /// @notice Slot of a pool's slot0; the others are counted from it.
    function poolSlot(bytes32 poolId) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(poolId, POOLS_SLOT)));
    }

    /// @notice Slot of the liquidity in range, in the low 128 bits.
    function liquiditySlot(uint256 pool) internal pure returns (bytes32) {
        return bytes32(pool + LIQUIDITY_OFFSET);
    }

    /// @notice Slot of a tick: liquidityGross in the low 128 bits, liquidityNet in the high.
    function tickSlot(uint256 pool, int256 tick) internal pure returns (bytes32) {
        return keccak256(abi.encode(tick, pool + TICKS_OFFSET));
    }

    /// @notice Slot of a word of the tick bitmap.
    function bitmapSlot(uint256 pool, int256 word) internal pure returns (bytes32) {
        return keccak256(abi.encode(word, pool + BITMAP_OFFSET));
    }

    /// @notice The fields of a pool's slot0, from the low bits up.
    function unpackSlot0(bytes32 slot0)
        internal
        pure
        returns (uint160 sqrtPriceX96, int24 tick, uint24 protocolFee, uint24 lpFee)
    {
        uint256 bits = uint256(slot0);
        return (uint160(bits), int24(uint24(bits >> 160)), uint24(bits >> 184), uint24(bits >> 208));
    }

    /// @notice A tick's liquidity, from its first slot.
    function unpackLiquidity(bytes32 tickInfo)
        internal
        pure
        returns (uint128 liquidityGross, int128 liquidityNet)
    {
        uint256 bits = uint256(tickInfo);
        return (uint128(bits), int128(uint128(bits >> 128)));
    }
}
