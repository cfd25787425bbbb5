// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Whole states of concentrated-liquidity pools, each in one call
/// @notice Holds no state: deploy it once, or run it by `eth_call` with its runtime bytecode put at
/// any address through a state override.
///
/// A packed tick is one word: bits 0 to 23 the int24 tick, bits 24 to 151 the int128 liquidityNet,
/// both in two's complement, the bits above zero. Word `w` of a pool's tick bitmap holds the ticks
/// `(256 * w + bit) * tickSpacing`; a wide range of words is paged by the caller, since a node caps
/// the gas of a call. An empty range (`wordFrom` above `wordTo`) reads no ticks. A target that does
/// not answer as a pool or a PoolManager does makes the call revert without data.
interface ILens {
    /// @notice State of a pool with the interface of Uniswap v3.
    /// @param sqrtPriceX96 Square root of token1 per token0, times 2**96; 0 if not initialised
    /// @param tick Current tick
    /// @param liquidity Liquidity in range
    /// @param fee Fee on the input in pips (1e-6), as `fee()` says in this block
    /// @param tickSpacing Ticks that can be initialised are its multiples
    /// @param token0 Token with the lower address
    /// @param token1 Token with the higher address
    /// @param ticks Packed initialised ticks of the words asked for, ascending by tick
    /// @param liquidityGross Of each of `ticks`, the liquidity that refers to it: while it is not 0 the
    /// tick is initialised, whatever its net
    struct V3State {
        uint160 sqrtPriceX96;
        int24 tick;
        uint128 liquidity;
        uint24 fee;
        int24 tickSpacing;
        address token0;
        address token1;
        uint256[] ticks;
        uint128[] liquidityGross;
    }

    /// @notice State of a Uniswap v4 pool. A pool that does not exist is all zeros.
    /// @param sqrtPriceX96 Square root of currency1 per currency0, times 2**96; 0 if not initialised
    /// @param tick Current tick
    /// @param protocolFee Two fees of 12 bits in pips (1e-6): zeroForOne low, oneForZero high
    /// @param lpFee Fee of the liquidity providers in pips (1e-6), before the protocol's
    /// @param liquidity Liquidity in range
    /// @param ticks Packed initialised ticks of the words asked for, ascending by tick
    /// @param liquidityGross Of each of `ticks`, the liquidity that refers to it: while it is not 0 the
    /// tick is initialised, whatever its net
    struct V4State {
        uint160 sqrtPriceX96;
        int24 tick;
        uint24 protocolFee;
        uint24 lpFee;
        uint128 liquidity;
        uint256[] ticks;
        uint128[] liquidityGross;
    }

    /// @notice Read a Uniswap v3 pool, or one of its kin (PancakeSwap v3, Slipstream): of `slot0()`
    /// and `ticks(int24)` only the first two words are used, in which all of them agree.
    /// @param pool The pool
    /// @param wordFrom First bitmap word to read
    /// @param wordTo Last bitmap word to read, itself included
    function getV3Pool(address pool, int16 wordFrom, int16 wordTo) external view returns (V3State memory);

    /// @notice Read a pool inside Uniswap v4's PoolManager, from its storage.
    /// @param poolManager The PoolManager
    /// @param poolId Hash of the pool's key
    /// @param tickSpacing As the pool's key says: the PoolManager does not store it
    /// @param wordFrom First bitmap word to read
    /// @param wordTo Last bitmap word to read, itself included
    function getV4Pool(address poolManager, bytes32 poolId, int24 tickSpacing, int16 wordFrom, int16 wordTo)
        external
        view
        returns (V4State memory);
}
