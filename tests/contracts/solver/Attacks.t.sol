// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SolverTest} from "./SolverTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {ISettle, ISettleCallback} from "contracts/interfaces/ISettle.sol";
import {ISolver} from "contracts/interfaces/ISolver.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {GreedyPool} from "contracts/mocks/router/GreedyPool.sol";
import {HookToken} from "contracts/mocks/router/HookToken.sol";

/// @title What others may try
contract SolverAttacksTest is SolverTest {
    ISolver.Swap[] private noSwaps;
    ISolver.Due[] private noDues;
    ISolver.Batch private nothing;

    // A stranger -------------------------------------------------------------------------------------

    function test_settle_stranger_reverts() public {
        TestToken(tokens[0]).mint(address(solver), UNIT);
        ISolver.Batch memory batch;
        batch.tokens = tokens;
        vm.prank(attacker);
        vm.expectRevert(abi.encodeWithSelector(ISolver.NotOwner.selector, attacker));
        solver.settle(batch, noSwaps, noDues, attacker, block.timestamp);
    }

    function test_onSettle_stranger_reverts() public {
        bytes memory data = abi.encode(list(swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, 0)), noDues);
        vm.prank(attacker);
        vm.expectRevert(abi.encodeWithSelector(ISolver.NotSettle.selector, attacker));
        solver.onSettle(tokens, data);
        vm.prank(keeper); // its owner neither
        vm.expectRevert(abi.encodeWithSelector(ISolver.NotSettle.selector, keeper));
        solver.onSettle(tokens, data);
    }

    /// @dev Settle calls its own sender back; an attacker's batch, in the middle of it, cannot lead it here.
    function test_onSettle_attackersBatch_callsTheAttackerAlone() public {
        TestToken(tokens[0]).mint(address(solver), UNIT);
        Impostor impostor = new Impostor(settlement, solver);
        vm.expectRevert(abi.encodeWithSelector(ISolver.NotSettle.selector, impostor));
        impostor.attack(tokens, abi.encode(noSwaps, due(0, UNIT)));
        assertEq(held(0, address(solver)), UNIT);
    }

    // A hop that fails -------------------------------------------------------------------------------

    function test_settle_poolGivesLessThanPromised_reverts_andMovesNothing() public {
        uint256 gives = quote(IRouter.Venue.UNISWAP_V3, 0, true, UNIT, false);
        ISettle.Fill memory fill = sells(0, 1, UNIT, 1);
        ISolver.Swap[] memory swaps = list(swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, gives + 1));
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, gives, gives + 1));
        solver.settle(batchOf(fill, UNIT), swaps, due(1, 1), treasury, block.timestamp);
        assertEq(held(0, address(uint160(fill.who >> 96))), PLENTY);
        assertNothingLeft();
    }

    function test_settle_poolTakesAndGivesNothing_reverts() public {
        ISolver.Swap[] memory swaps = list(swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, 0));
        swaps[0].hops[0].pool = address(new GreedyPool(UNIT, 1));
        ISettle.Fill memory fill = sells(0, 1, UNIT, 1);
        vm.prank(keeper);
        vm.expectPartialRevert(IRouter.TokenCallFailed.selector); // the due is not there
        solver.settle(batchOf(fill, UNIT), swaps, due(1, 1), treasury, block.timestamp);
    }

    function test_settle_dueLeftOut_reverts() public {
        ISolver.Swap[] memory swaps = list(swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, 0));
        ISettle.Fill memory fill = sells(0, 1, UNIT, 1);
        vm.prank(keeper);
        vm.expectPartialRevert(ISettle.TokenCallFailed.selector); // the settlement cannot pay the owner
        solver.settle(batchOf(fill, UNIT), swaps, noDues, treasury, block.timestamp);
    }

    // A malicious token ------------------------------------------------------------------------------

    function test_settle_tokenCallsTheSolver_isRefused() public {
        (HookToken hook, ISolver.Batch memory batch) = hooked();
        hook.setHook(address(solver), settleCall(address(hook)));
        settleBatch(batch, noSwaps, noDues);
        assertEq(hook.answer(), abi.encodeWithSelector(ISolver.NotOwner.selector, hook));
        assertNothingLeft();
    }

    function test_settle_tokenCallsBackInSettlesPlace_isRefused() public {
        (HookToken hook, ISolver.Batch memory batch) = hooked();
        bytes memory data = abi.encode(noSwaps, due(0, 0));
        hook.setHook(address(solver), abi.encodeCall(solver.onSettle, (tokens, data)));
        settleBatch(batch, noSwaps, noDues);
        assertEq(hook.answer(), abi.encodeWithSelector(ISolver.NotSettle.selector, hook));
        assertNothingLeft();
    }

    /// @dev Even a token that is the owner: the settlement's lock holds it off.
    function test_settle_ownerCallsInAgain_isRefused() public {
        (HookToken hook, ISolver.Batch memory batch) = hooked();
        solver = deploySolver(address(hook));
        hook.setHook(address(solver), settleCall(address(hook)));
        vm.prank(address(hook));
        solver.settle(batch, noSwaps, noDues, treasury, block.timestamp);
        assertEq(hook.answer(), abi.encodeWithSelector(ISettle.Reentered.selector));
        assertNothingLeft();
    }

    /// @dev The due does not arrive whole, so the owner cannot be paid.
    function test_settle_tokenTakesAFee_reverts() public {
        uint256 gives = quote(IRouter.Venue.UNISWAP_V3, 0, true, UNIT, false);
        ISettle.Fill memory fill = sells(0, 1, UNIT, gives / 2);
        ISolver.Swap[] memory swaps = list(swapOf(IRouter.Venue.UNISWAP_V3, 0, UNIT, gives / 2));
        b.setTransferFeeBps(100);
        vm.prank(keeper);
        vm.expectPartialRevert(ISettle.TokenCallFailed.selector);
        solver.settle(batchOf(fill, UNIT), swaps, due(1, gives / 2), treasury, block.timestamp);
    }

    // Words ------------------------------------------------------------------------------------------

    /// @dev A token that calls out stands in the place of c, and two orders exchange it: its last transfer is
    /// the payout, in the middle of the settlement.
    function hooked() private returns (HookToken hook, ISolver.Batch memory batch) {
        hook = new HookToken();
        tokens[2] = address(hook);
        for (uint256 i = 2; i > 0 && tokens[i] < tokens[i - 1]; --i) {
            (tokens[i], tokens[i - 1]) = (tokens[i - 1], tokens[i]);
        }
        uint256 index;
        while (tokens[index] != address(hook)) ++index;
        uint256 plain = index == 0 ? 1 : 0;
        batch.tokens = tokens;
        batch.fills = new ISettle.Fill[](2);
        batch.fills[0] = sells(index, plain, UNIT, UNIT);
        batch.fills[1] = sells(plain, index, UNIT, UNIT);
    }

    function settleCall(address to) private view returns (bytes memory) {
        return abi.encodeCall(solver.settle, (nothing, noSwaps, noDues, to, block.timestamp));
    }
}

/// @title A sender of batches that passes Settle's callback on to the solver
contract Impostor is ISettleCallback {
    ISettle private immutable SETTLE;
    ISolver private immutable VICTIM;

    constructor(ISettle settlement, ISolver victim) {
        (SETTLE, VICTIM) = (settlement, victim);
    }

    function attack(address[] calldata tokens, bytes calldata data) external {
        SETTLE.settle(
            tokens, new uint128[](0), new ISettle.Fill[](0), new bytes[](0), new ISettle.Advance[](0), data
        );
    }

    function onSettle(address[] calldata tokens, bytes calldata data) external {
        VICTIM.onSettle(tokens, data);
    }
}
