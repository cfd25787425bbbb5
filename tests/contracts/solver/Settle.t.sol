// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SolverTest} from "./SolverTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {ISolver} from "contracts/interfaces/ISolver.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";

/// @title Batches that lack nothing, and batches whose rest is swapped
contract SolverSettleTest is SolverTest {
    ISolver.Swap[] private noSwaps;
    ISolver.Due[] private noDues;

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_settle_restThroughAPool_paysTheOwnerAndKeepsTheSurplus(uint256 amount, uint8 which)
        public
    {
        amount = bound(amount, 1e6, 1000 * UNIT);
        IRouter.Venue venue = IRouter.Venue(which % 6);
        uint256 gives = quote(venue, 0, true, amount, false);
        uint256 limit = gives * 99 / 100;
        vm.assume(limit != 0);
        ISettle.Fill memory fill = sells(0, 1, amount, limit);
        address owner = address(uint160(fill.who >> 96));
        settleBatch(batchOf(fill, amount), list(swapOf(venue, 0, amount, limit)), due(1, limit));
        assertEq(held(0, owner), PLENTY - amount);
        assertEq(held(1, owner), PLENTY + limit);
        assertEq(held(1, treasury), gives - limit);
        assertNothingLeft();
    }

    function test_settle_restThroughTwoSwaps_usesWhatTheFirstGives() public {
        uint256 middle = quote(IRouter.Venue.UNISWAP_V3, 0, true, UNIT, false);
        uint256 gives = quote(IRouter.Venue.UNISWAP_V2, 1, true, middle, false);
        ISettle.Fill memory fill = sells(0, 2, UNIT, gives);
        ISolver.Swap[] memory swaps = new ISolver.Swap[](2);
        swaps[0] = swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, middle);
        swaps[1] = swapOf(IRouter.Venue.UNISWAP_V2, 1, middle, gives);
        settleBatch(batchOf(fill, UNIT), swaps, due(2, gives));
        assertEq(held(2, address(uint160(fill.who >> 96))), PLENTY + gives);
        assertNothingLeft();
    }

    function test_settle_twoOrdersThatMeet_needNoCallback_andTheFeesAreKept() public {
        ISolver.Batch memory batch;
        batch.tokens = tokens;
        batch.fills = new ISettle.Fill[](2);
        batch.fills[0] = sells(0, 1, UNIT, UNIT);
        batch.fills[1] = sells(1, 0, UNIT + UNIT / 100, UNIT);
        batch.fills[0].fee = UNIT / 100;
        settleBatch(batch, noSwaps, noDues);
        assertEq(held(1, treasury), UNIT / 100);
        assertNothingLeft();
    }

    function test_settle_swapThatTakesLess_leavesNoAllowance_andTheRestIsKept() public {
        uint256 needed = quote(IRouter.Venue.UNISWAP_V3, 0, true, UNIT, true);
        ISolver.Swap memory leg = swapOf(IRouter.Venue.UNISWAP_V3, 0, needed + 5, UNIT);
        (leg.hops[0].exactOut, leg.hops[0].amount) = (true, UNIT);
        settleBatch(batchOf(sells(0, 1, needed + 5, UNIT), needed + 5), list(leg), due(1, UNIT));
        assertEq(held(0, treasury), 5);
        assertNothingLeft();
    }

    function test_settle_swapStraightToTheSettlement_needsNoDue() public {
        uint256 gives = quote(IRouter.Venue.UNISWAP_V3, 0, true, UNIT, false);
        ISolver.Swap memory leg = swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, gives);
        leg.terms.recipient = address(settlement);
        settleBatch(batchOf(sells(0, 1, UNIT, gives), UNIT), list(leg), noDues);
        assertNothingLeft();
    }

    function test_settle_tokenWhoseAllowanceMustPassThroughZero_settlesAgain() public {
        a.setRefusesAllowanceChange(true);
        for (uint256 i = 0; i < 2; ++i) {
            ISolver.Swap memory leg = swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT + 5, 1);
            leg.hops[0].amount = UNIT;
            settleBatch(batchOf(sells(0, 1, UNIT + 5, 1), UNIT + 5), list(leg), due(1, 1));
            assertNothingLeft();
        }
    }

    function test_settle_matcherIsTheSolver_settles_andNobodyElseMay() public {
        ISettle.Order memory order = orderOf(maker(), 0, 1, UNIT, 1);
        order.matcher = address(solver);
        ISettle.Fill memory fill = signed(order);
        ISolver.Batch memory batch = batchOf(fill, UNIT);
        ISolver twin = deploySolver(attacker);
        ISolver.Swap[] memory swaps = list(swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, 1));
        vm.prank(attacker);
        vm.expectPartialRevert(ISettle.WrongSignature.selector);
        twin.settle(batch, swaps, due(1, 1), attacker, block.timestamp);
        settleBatch(batch, swaps, due(1, 1));
        assertNothingLeft();
    }

    function test_settle_nothing_sendsAwayWhatWasSentHere() public {
        TestToken(tokens[2]).mint(address(solver), 7);
        ISolver.Batch memory batch;
        batch.tokens = tokens;
        settleBatch(batch, noSwaps, noDues);
        assertEq(held(2, treasury), 7);
        assertNothingLeft();
    }

    function test_settle_afterTheDeadline_reverts() public {
        ISolver.Batch memory batch;
        vm.prank(keeper);
        vm.expectRevert(
            abi.encodeWithSelector(ISolver.DeadlinePassed.selector, block.timestamp - 1, block.timestamp)
        );
        solver.settle(batch, noSwaps, noDues, treasury, block.timestamp - 1);
    }

    function test_owner_isWhomItWasMadeFor() public view {
        assertEq(solver.owner(), keeper);
    }
}
