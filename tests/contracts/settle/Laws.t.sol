// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SettleTest} from "./SettleTest.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";

/// @title What holds whatever the order of fills, the time of a stop, or who asks
contract SettleLawsTest is SettleTest {
    address[3] private owners;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 3; ++i) {
            owners[i] = maker();
        }
    }

    /// @dev I13.
    /// forge-config: default.fuzz.runs = 16
    function testFuzz_settle_fillsInAnyOrder_leaveTheSame(uint64 amount, uint256 seed) public {
        amount = uint64(bound(amount, 1, type(uint64).max));
        ISettle.Fill[] memory fills = ring(amount, 1);
        uint256 state = vm.snapshotState();
        settle(fills);
        bytes32 expected = describe();
        vm.revertToState(state);
        for (uint256 i = 2; i > 0; --i) {
            uint256 other = (seed >> i * 8) % (i + 1);
            (fills[i], fills[other]) = (fills[other], fills[i]);
        }
        settle(fills);
        assertEq(describe(), expected);
    }

    /// @dev I25, I26: a stop refuses every settlement and nothing else, ends by itself, and outlives neither two
    /// weeks nor the guardian's time; more stops make it no longer than that.
    /// forge-config: default.fuzz.runs = 16
    function testFuzz_stop_refusesSettlementsAlone_andEndsByItself(uint32 late, uint32 again, uint32 look)
        public
    {
        uint256 start = vm.getBlockTimestamp();
        uint256 end = start + 365 days;
        uint256 stoppedAt = start + bound(late, 0, 365 days - 1);
        vm.warp(stoppedAt);
        vm.prank(guardian);
        settlement.stop();
        stoppedAt = bound(again, stoppedAt, end - 1);
        vm.warp(stoppedAt);
        vm.prank(guardian);
        settlement.stop();
        uint256 until = stoppedAt + 14 days < end ? stoppedAt + 14 days : end;
        assertEq(settlement.stoppedUntil(), until);
        vm.warp(bound(look, stoppedAt, until + 30 days));
        ISettle.Fill[] memory fills = ring(UNIT, 1);
        fund(matcher);
        if (vm.getBlockTimestamp() < until) {
            bytes memory stopped = abi.encodeWithSelector(ISettle.SettlementStopped.selector, until);
            vm.expectRevert(stopped);
            settle(fills);
            vm.expectRevert(stopped);
            settlement.take(fills[0], tokens[0], tokens[1]);
            vm.expectRevert(stopped);
            settlement.takeFromContract(fills[0], tokens[0], tokens[1], noSignatures);
            vm.expectRevert(stopped);
            settlement.pair(fills[0], fills[0], tokens[0], tokens[1], noSignatures);
        } else {
            settle(fills);
        }
        vm.startPrank(owners[0]);
        settlement.cancel(1);
        settlement.presign(0, bytes32(uint256(1)));
        assertEq(settlement.presigned(owners[0], 0), bytes32(uint256(1)));
        vm.stopPrank();
    }

    /// @dev I28: on lanes that are known, with balances that are, a batch creates no word of storage at all.
    /// forge-config: default.fuzz.runs = 16
    function testFuzz_settle_knownLanes_createNoStorage(uint64 amount) public {
        amount = uint64(bound(amount, 1, type(uint64).max));
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(owners[i]);
            (bool given,) =
                tokens[i].call(abi.encodeWithSignature("transfer(address,uint256)", settlement, 1));
            assertTrue(given);
        }
        settle(ring(amount, 1));
        ISettle.Fill[] memory fills = ring(amount, 2);
        uint256 state = vm.snapshotState();
        vm.record();
        settle(fills);
        uint256 written;
        address[4] memory places = [address(settlement), tokens[0], tokens[1], tokens[2]];
        bytes32[][4] memory slots;
        for (uint256 i = 0; i < 4; ++i) {
            (, slots[i]) = vm.accesses(places[i]);
        }
        vm.revertToState(state);
        for (uint256 i = 0; i < 4; ++i) {
            for (uint256 k = 0; k < slots[i].length; ++k) {
                assertTrue(vm.load(places[i], slots[i][k]) != 0);
            }
            written += slots[i].length;
        }
        assertEq(written, 3 + 4 * 3); // a lane each; each token's seller, buyer, and twice the hub
    }

    function ring(uint256 amount, uint32 seq) private view returns (ISettle.Fill[] memory fills) {
        fills = new ISettle.Fill[](3);
        for (uint256 i = 0; i < 3; ++i) {
            ISettle.Order memory order = orderOf(owners[i], i, (i + 1) % 3, amount, amount);
            order.seq = seq;
            fills[i] = whole(order);
        }
    }

    function describe() private view returns (bytes32 digest) {
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 seq, uint256 filled) = settlement.laneOf(owners[i], 0);
            digest = keccak256(abi.encode(digest, seq, filled));
            for (uint256 k = 0; k < 3; ++k) {
                digest = keccak256(abi.encode(digest, balance(k, owners[i]), balance(k, address(settlement))));
            }
        }
    }
}
