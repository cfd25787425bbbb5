// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Tick bitmaps and packed ticks, as `ILens` describes them
library TickWords {
    /// @notice How many words `wordFrom` to `wordTo` are, both included; 0 if they cross.
    function length(int16 wordFrom, int16 wordTo) internal pure returns (uint256) {
        return wordFrom > wordTo ? 0 : uint256(int256(wordTo) - wordFrom) + 1;
    }

    /// @notice How many ticks `words` flag.
    function count(bytes32[] memory words) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < words.length; ++i) {
            for (uint256 word = uint256(words[i]); word != 0; word &= word - 1) {
                ++total;
            }
        }
    }

    /// @notice The ticks that `words` flag, ascending; the first is word `wordFrom` of the bitmap.
    function list(bytes32[] memory words, int16 wordFrom, int24 tickSpacing)
        internal
        pure
        returns (int24[] memory ticks)
    {
        ticks = new int24[](count(words));
        uint256 found = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            int256 first = (int256(wordFrom) + int256(i)) * 256;
            for (uint256 word = uint256(words[i]); word != 0; word &= word - 1) {
                int256 compressed = first + int256(lowestBit(word));
                ticks[found++] = int24(compressed * tickSpacing);
            }
        }
    }

    /// @notice Position of the lowest bit that is set. `word` is not 0.
    function lowestBit(uint256 word) internal pure returns (uint256 position) {
        unchecked {
            word &= ~word + 1;
        }
        if (word & type(uint128).max == 0) position = 128;
        // The mask of each step has the lower half of every block of 2 * step bits.
        if (word & 0x0000000000000000FFFFFFFFFFFFFFFF0000000000000000FFFFFFFFFFFFFFFF == 0) position |= 64;
        if (word & 0x00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF00000000FFFFFFFF == 0) position |= 32;
        if (word & 0x0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF0000FFFF == 0) position |= 16;
        if (word & 0x00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00FF == 0) position |= 8;
        if (word & 0x0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F == 0) position |= 4;
        if (word & 0x3333333333333333333333333333333333333333333333333333333333333333 == 0) position |= 2;
        if (word & 0x5555555555555555555555555555555555555555555555555555555555555555 == 0) position |= 1;
    }

    /// @notice One packed tick.
    function pack(int24 tick, int128 liquidityNet) internal pure returns (uint256) {
        return (uint256(uint128(liquidityNet)) << 24) | uint24(tick);
    }
}
