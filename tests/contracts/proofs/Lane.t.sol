// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lane, LaneLibrary} from "contracts/types/Lane.sol";
import {Test} from "forge-std/Test.sol";

/// @title The rule of lanes, for every word, seq, amount and size that there is
/// @dev Fuzzed by forge, and proven by halmos (`make deep`). What cannot be reached is allowed too: the
/// lane's word may be anything.
contract LaneProofs is Test {
    function fill(Lane lane, uint32 seq, uint128 amount, uint128 size) external pure returns (Lane) {
        return lane.fill(seq, amount, size);
    }

    function cancel(Lane lane, uint32 last) external pure returns (Lane) {
        return lane.cancel(last);
    }

    function testFuzz_word_isSeqAndFilled(uint128 seq, uint128 filled) public pure {
        Lane lane = Lane.wrap((uint256(seq) << 128) | filled);
        assertEq(lane.seq(), seq);
        assertEq(lane.filled(), filled);
    }

    /// @dev I8, I9: no order is filled beyond its size, what is filled of it is counted whole, and a lane never
    /// goes back.
    function testFuzz_fill_countsWhatIsFilledUpToTheSize(Lane lane, uint32 seq, uint128 amount, uint128 size)
        public
        view
    {
        uint256 before = lane.seq() == seq ? lane.filled() : 0;
        try this.fill(lane, seq, amount, size) returns (Lane next) {
            assertGe(seq, lane.seq());
            assertEq(next.seq(), seq);
            assertEq(next.filled(), before + amount);
            assertLe(next.filled(), size);
        } catch {
            assertTrue(seq < lane.seq() || before + amount > size);
        }
    }

    /// @dev I9: what was cancelled is dead, and what was not is alive.
    function testFuzz_cancel_killsUpToTheSeqAndNoFurther(Lane lane, uint32 last, uint32 seq, uint128 size)
        public
        view
    {
        try this.cancel(lane, last) returns (Lane next) {
            assertGe(next.seq(), lane.seq());
            assertEq(next.filled(), 0);
            try this.fill(next, seq, size, size) {
                assertGt(seq, last);
            } catch {
                assertLe(seq, last);
            }
        } catch {
            assertLt(last, lane.seq());
        }
    }

    /// @dev I8 under interleaving: whatever comes between two fills of an order, it is never filled beyond its
    /// size by both.
    function testFuzz_fill_twiceWithAnythingBetween_staysWithinTheSize(
        uint32 seq,
        uint128 size,
        uint128 first,
        uint128 second,
        uint32 otherSeq,
        uint128 otherAmount,
        bool cancels
    ) public view {
        vm.assume(otherSeq != seq);
        try this.fill(Lane.wrap(0), seq, first, size) returns (Lane lane) {
            lane = between(lane, otherSeq, otherAmount, cancels);
            try this.fill(lane, seq, second, size) {
                assertLe(uint256(first) + second, size);
            } catch {}
        } catch {}
    }

    function between(Lane lane, uint32 seq, uint128 amount, bool cancels) private view returns (Lane) {
        if (cancels) {
            try this.cancel(lane, seq) returns (Lane next) {
                return next;
            } catch {
                return lane;
            }
        }
        try this.fill(lane, seq, amount, type(uint128).max) returns (Lane next) {
            return next;
        } catch {
            return lane;
        }
    }
}
