// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TickWords} from "contracts/libraries/TickWords.sol";
import {Test} from "forge-std/Test.sol";

contract TickWordsTest is Test {
    function testFuzz_lowestBit_anyWord_isSetWithNoneBelow(uint256 word) public pure {
        vm.assume(word != 0);
        uint256 position = TickWords.lowestBit(word);
        assertEq((word >> position) & 1, 1);
        assertEq(word & ((1 << position) - 1), 0);
    }

    function test_lowestBit_everyPowerOfTwo_isItsExponent() public pure {
        for (uint256 position = 0; position < 256; ++position) {
            assertEq(TickWords.lowestBit(1 << position), position);
            assertEq(TickWords.lowestBit(type(uint256).max << position), position);
        }
    }

    function testFuzz_count_anyWords_isTheNumberOfBits(bytes32[6] memory drawn) public pure {
        bytes32[] memory words = new bytes32[](drawn.length);
        uint256 bits;
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = drawn[i];
            for (uint256 bit = 0; bit < 256; ++bit) {
                bits += (uint256(words[i]) >> bit) & 1;
            }
        }
        assertEq(TickWords.count(words), bits);
    }

    function testFuzz_length_anyRange_countsBothEnds(int16 from, int16 to) public pure {
        uint256 expected = from > to ? 0 : uint256(int256(to) - int256(from)) + 1;
        assertEq(TickWords.length(from, to), expected);
    }

    function testFuzz_pack_anyTick_unpacks(int24 tick, int128 liquidityNet) public pure {
        uint256 packed = TickWords.pack(tick, liquidityNet);
        assertEq(int24(uint24(packed)), tick);
        assertEq(int128(uint128(packed >> 24)), liquidityNet);
        assertEq(packed >> 152, 0);
    }
}
