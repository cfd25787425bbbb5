// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What Uniswap v3, PancakeSwap v3 and Slipstream pools have in common
/// @notice The originals return more words from `slot0` and `ticks`, of differing meaning.
interface IV3Pool {
    /// @notice Square root of the price times 2**96, and the current tick.
    function slot0() external view returns (uint160 sqrtPriceX96, int24 tick);

    /// @notice Liquidity in range.
    function liquidity() external view returns (uint128);

    /// @notice Fee on the input in pips (1e-6).
    function fee() external view returns (uint24);

    /// @notice Ticks that can be initialised are its multiples.
    function tickSpacing() external view returns (int24);

    /// @notice Token with the lower address.
    function token0() external view returns (address);

    /// @notice Token with the higher address.
    function token1() external view returns (address);

    /// @notice 256 flags, one for each of the word's ticks that is initialised.
    function tickBitmap(int16 word) external view returns (uint256);

    /// @notice Liquidity that refers to a tick, and its change when the price crosses the tick upwards.
    function ticks(int24 tick) external view returns (uint128 liquidityGross, int128 liquidityNet);
}
