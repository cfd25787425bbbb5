// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A pool whose `slot0` and `ticks` answer more words, all bits set, than Uniswap v3's do
/// @notice PancakeSwap v3 and Slipstream differ from the original in those words only.
contract OtherPool {
    uint160 public constant SQRT_PRICE_X96 = 2 ** 95 + 7;
    int24 public constant TICK = -13_863;
    int24 public constant INITIALISED = -200;
    uint128 public constant liquidity = 12;
    uint24 public constant fee = 77;
    int24 public constant tickSpacing = 100;
    address public constant token0 = address(1);
    address public constant token1 = address(2);

    uint256 private immutable SLOT0_WORDS;
    uint256 private immutable TICK_WORDS;
    int128 private immutable LIQUIDITY_NET;

    constructor(uint256 slot0Words, uint256 tickWords, int128 liquidityNet) {
        (SLOT0_WORDS, TICK_WORDS, LIQUIDITY_NET) = (slot0Words, tickWords, liquidityNet);
    }

    function slot0() external view {
        answer(SLOT0_WORDS, SQRT_PRICE_X96, uint256(int256(TICK)));
    }

    function ticks(int24 tick) external view {
        require(tick == INITIALISED);
        answer(TICK_WORDS, 1, uint256(int256(LIQUIDITY_NET)));
    }

    function tickBitmap(int16 word) external pure returns (uint256) {
        return word == -1 ? 1 << 254 : 0;
    }

    function answer(uint256 words, uint256 first, uint256 second) private pure {
        bytes memory data = abi.encodePacked(first, second);
        for (uint256 i = 2; i < words; ++i) {
            data = abi.encodePacked(data, type(uint256).max);
        }
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}
