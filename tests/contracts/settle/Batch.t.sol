// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Orders} from "./Orders.sol";
import {SettleTest} from "./SettleTest.sol";
import {ISettle, ISettleCallback} from "contracts/interfaces/ISettle.sol";
import {PlainToken} from "contracts/mocks/PlainToken.sol";
import {LaneLibrary} from "contracts/types/Lane.sol";

/// @title What `settle`, `pair` and `take` do when all is well, and what each rule refuses
contract BatchTest is SettleTest {
    address private alice;
    address private bob;
    address private carol;

    function setUp() public override {
        super.setUp();
        (alice, bob, carol) = (maker(), maker(), maker());
    }

    // What fits together ---------------------------------------------------------------------------

    function test_settle_twoOrders_moveExactlyTheirAmounts() public {
        ISettle.Fill[] memory fills = two(3 * UNIT, 2 * UNIT);
        settle(fills);
        assertMoved(alice, -3, 2, 0);
        assertMoved(bob, 3, -2, 0);
        assertLane(alice, 0, 1, 3 * UNIT);
        assertHubIsEmpty();
    }

    function test_settle_ring_needsNoLiquidity() public {
        ISettle.Fill[] memory fills = new ISettle.Fill[](3);
        fills[0] = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        fills[1] = whole(orderOf(bob, 1, 2, UNIT, UNIT));
        fills[2] = whole(orderOf(carol, 2, 0, UNIT, UNIT));
        settle(fills);
        assertMoved(alice, -1, 1, 0);
        assertMoved(bob, 0, -1, 1);
        assertMoved(carol, 1, 0, -1);
    }

    function test_settle_receiver_getsTheBuy() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        order.receiver = carol;
        ISettle.Fill[] memory fills = pairUp(whole(order), whole(orderOf(bob, 1, 0, UNIT, UNIT)));
        settle(fills);
        assertMoved(alice, -1, 0, 0);
        assertMoved(carol, 0, 1, 0);
    }

    function test_settle_fee_goesToTheSender() public {
        ISettle.Fill memory one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT / 2), UNIT, UNIT - 1e15);
        one.fee = 1e15; // ten basis points of what bob pays
        settle(pairUp(one, whole(orderOf(bob, 1, 0, UNIT, UNIT))));
        assertEq(balance(1, matcher), 1e15);
        assertHubIsEmpty();
    }

    function test_settle_outsideLiquidity_paysForTheRest() public {
        Solver solver = new Solver();
        PlainToken(tokens[1]).mint(address(solver), UNIT);
        ISettle.Fill[] memory fills = new ISettle.Fill[](1);
        fills[0] = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        ISettle.Advance[] memory advances = new ISettle.Advance[](1);
        advances[0] = ISettle.Advance(0, UNIT);
        solver.run(settlement, tokens, fills, advances, abi.encode(1, UNIT));
        assertMoved(alice, -1, 1, 0);
        assertEq(balance(0, address(solver)), UNIT);
        vm.expectRevert();
        solver.run(settlement, tokens, fills, advances, abi.encode(1, UNIT - 1)); // and no less
    }

    function test_settle_uniformPrices_bindEveryFill() public {
        uint128[] memory prices = new uint128[](3);
        (prices[0], prices[1], prices[2]) = (2, 3, 1);
        settleAt(prices, two(3 * UNIT, 2 * UNIT));
        (prices[0], prices[1]) = (1, 1);
        (alice, bob) = (maker(), maker());
        ISettle.Fill[] memory fills = two(3 * UNIT, 2 * UNIT); // still at 2 to 3
        vm.expectRevert(abi.encodeWithSelector(ISettle.NotUniform.selector, alice, 3 * UNIT, 2 * UNIT));
        settleAt(prices, fills);
        assertFalse(isUniform(1, 1, UNIT, UNIT + 1), "a whole unit of either");
    }

    /// @dev Alice gets her amount at the prices, rounded up; a unit less is refused, and so is one more unless
    /// that is still less than a unit of what she sells.
    function testFuzz_settle_uniformPrices_roundForTheOwnerByLessThanAUnit(
        uint64 priceIn,
        uint64 priceOut,
        uint64 amountIn
    ) public {
        (priceIn, priceOut) = (uint64(bound(priceIn, 1, 1e18)), uint64(bound(priceOut, 1, 1e18)));
        amountIn = uint64(bound(amountIn, 1, 1e9));
        uint256 exact = uint256(amountIn) * priceIn;
        uint256 amountOut = (exact + priceOut - 1) / priceOut;
        assertTrue(isUniform(priceIn, priceOut, amountIn, amountOut), "rounded up");
        assertFalse(isUniform(priceIn, priceOut, amountIn, amountOut - 1), "a unit less");
        bool within = (amountOut + 1) * priceOut - exact < priceIn;
        assertEq(isUniform(priceIn, priceOut, amountIn, amountOut + 1), within, "a unit more");
    }

    function isUniform(uint128 priceIn, uint128 priceOut, uint256 amountIn, uint256 amountOut)
        private
        returns (bool)
    {
        if (amountOut == 0) return false;
        Solver solver = new Solver();
        PlainToken(tokens[1]).mint(address(solver), amountOut);
        uint128[] memory prices = new uint128[](3);
        (prices[0], prices[1], prices[2]) = (priceIn, priceOut, 1);
        ISettle.Fill[] memory fills = new ISettle.Fill[](1);
        fills[0] = fillOf(orderOf(alice, 0, 1, 1e9 * UNIT, 1), amountIn, amountOut);
        uint256 state = vm.snapshotState();
        try solver.runAt(settlement, tokens, prices, fills, abi.encode(1, amountOut)) {
            vm.revertToState(state);
            return true;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), ISettle.NotUniform.selector);
            return false;
        }
    }

    function test_settle_partialFills_addUpToTheOrderAndNoFurther() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, 3 * UNIT, 3 * UNIT);
        for (uint256 i = 1; i < 4; ++i) {
            settle(pairUp(fillOf(order, UNIT, UNIT), whole(order2(bob, 1, 0, uint32(i)))));
            assertLane(alice, 0, 1, i * UNIT);
        }
        ISettle.Fill[] memory fills = pairUp(fillOf(order, 1, 1), fillOf(order2(bob, 1, 0, 9), 1, 1));
        vm.expectRevert(abi.encodeWithSelector(LaneLibrary.Overfilled.selector, 3 * UNIT + 1, 3 * UNIT));
        settle(fills);
    }

    function test_settle_exactOut_countsWhatIsBought() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, 2 * UNIT, UNIT);
        order.flags = Orders.EXACT_OUT;
        settle(pairUp(fillOf(order, UNIT, UNIT), whole(orderOf(bob, 1, 0, UNIT, UNIT)))); // at half the price
        assertLane(alice, 0, 1, UNIT);
        ISettle.Fill[] memory fills = pairUp(fillOf(order, 1, 1), fillOf(order2(bob, 1, 0, 2), 1, 1));
        vm.expectRevert(abi.encodeWithSelector(LaneLibrary.Overfilled.selector, UNIT + 1, UNIT));
        settle(fills);
    }

    function test_pair_twoOrders_moveFromWalletToWallet() public {
        ISettle.Fill memory one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT / 2), UNIT, UNIT - 1e15);
        one.fee = 1e15;
        ISettle.Fill memory other = whole(orderOf(bob, 1, 0, UNIT, UNIT));
        vm.prank(matcher);
        settlement.pair(one, other, tokens[0], tokens[1], noSignatures);
        assertEq(balance(1, alice), 1e9 * UNIT + UNIT - 1e15);
        assertEq(balance(0, bob), 1e9 * UNIT + UNIT);
        assertEq(balance(1, matcher), 1e15);
    }

    function test_take_oneOrder_movesBetweenOwnerAndSender() public {
        fund(matcher);
        ISettle.Fill memory fill = whole(orderOf(alice, 0, 1, 2 * UNIT, UNIT));
        vm.prank(matcher);
        settlement.take(fill, tokens[0], tokens[1]);
        assertMoved(alice, -2, 1, 0);
        assertMoved(matcher, 2, -1, 0);
    }

    // What each rule refuses -------------------------------------------------------------------------

    function test_settle_deadlinePassed_reverts() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, 2 * UNIT, 2 * UNIT);
        vm.warp(order.deadline);
        settle(pairUp(fillOf(order, UNIT, UNIT), whole(orderOf(bob, 1, 0, UNIT, UNIT))));
        ISettle.Fill[] memory fills = pairUp(fillOf(order, UNIT, UNIT), whole(order2(bob, 1, 0, 2)));
        vm.warp(order.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ISettle.DeadlinePassed.selector, alice, order.deadline, order.deadline + 1)
        );
        settle(fills);
    }

    function test_settle_belowTheLimit_reverts() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, 3 * UNIT, UNIT);
        ISettle.Fill[] memory fills =
            pairUp(fillOf(order, 3, 1), fillOf(orderOf(bob, 1, 0, UNIT, UNIT), 1, 3));
        settle(fills);
        fills[0] = fillOf(order, 4, 1); // a quarter is less than a third: nothing is rounded
        vm.expectRevert(abi.encodeWithSelector(ISettle.LimitBroken.selector, alice, 4, 1));
        settle(fills);
    }

    function test_settle_killPartOfAll_reverts() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        order.flags = Orders.FILL_OR_KILL;
        ISettle.Fill[] memory fills = pairUp(
            fillOf(order, UNIT - 1, UNIT - 1), fillOf(orderOf(bob, 1, 0, UNIT, UNIT), UNIT - 1, UNIT - 1)
        );
        vm.expectRevert(abi.encodeWithSelector(ISettle.PartialFill.selector, alice, UNIT - 1, UNIT));
        settle(fills);
    }

    function test_settle_nothing_reverts() public {
        ISettle.Fill[] memory fills = two(UNIT, UNIT);
        fills[0].amounts = 0;
        vm.expectRevert(abi.encodeWithSelector(ISettle.NothingFilled.selector, alice));
        settle(fills);
    }

    function test_settle_feeAboveTheSigned_reverts() public {
        ISettle.Fill memory one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT / 2), UNIT, UNIT - 1e15 - 1);
        one.fee = 1e15 + 1;
        ISettle.Fill[] memory fills = pairUp(one, whole(orderOf(bob, 1, 0, UNIT, UNIT)));
        vm.expectRevert(abi.encodeWithSelector(ISettle.FeeTooHigh.selector, alice, 1e15 + 1, 10));
        settle(fills);
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzz_settle_feeOfAnyWordAboveTheSigned_reverts(uint256 fee) public {
        ISettle.Fill memory one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT / 2), UNIT, UNIT - 1e15);
        one.fee = bound(fee, 1e15 + 1, type(uint256).max);
        ISettle.Fill[] memory fills = pairUp(one, whole(orderOf(bob, 1, 0, UNIT, UNIT)));
        vm.expectRevert(); // by the rule, or by the compiler's own where a product has no word
        settle(fills);
    }

    function test_settle_anotherMatcher_reverts() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        order.matcher = matcher;
        ISettle.Fill[] memory fills = pairUp(whole(order), whole(orderOf(bob, 1, 0, UNIT, UNIT)));
        vm.expectPartialRevert(ISettle.WrongSignature.selector);
        vm.prank(carol);
        settlement.settle(tokens, noPrices, fills, noSignatures, noAdvances, "");
        settle(fills);
    }

    function test_settle_unbalanced_reverts() public {
        ISettle.Fill[] memory fills = pairUp(
            fillOf(orderOf(alice, 0, 1, UNIT, UNIT), UNIT, UNIT + 1), whole(orderOf(bob, 1, 0, UNIT, UNIT))
        );
        PlainToken(tokens[1]).mint(address(settlement), 1); // not theirs to take
        vm.expectRevert(abi.encodeWithSelector(ISettle.Unbalanced.selector, tokens[1], 0, 1));
        settle(fills);
    }

    function test_settle_tokensUnsortedOrTwice_reverts() public {
        ISettle.Fill[] memory fills = two(UNIT, UNIT);
        address[] memory list = new address[](2);
        (list[0], list[1]) = (tokens[1], tokens[0]);
        vm.expectRevert(abi.encodeWithSelector(ISettle.TokensUnsorted.selector, 1));
        settlement.settle(list, noPrices, fills, noSignatures, noAdvances, "");
        list[1] = tokens[1];
        vm.expectRevert(abi.encodeWithSelector(ISettle.TokensUnsorted.selector, 1));
        settlement.settle(list, noPrices, fills, noSignatures, noAdvances, "");
    }

    function test_settle_tooFewPrices_reverts() public {
        ISettle.Fill[] memory fills = two(UNIT, UNIT);
        vm.expectRevert(abi.encodeWithSelector(ISettle.PricesMissing.selector, 1, 3));
        settleAt(new uint128[](1), fills);
    }

    function test_pair_amountsDiffer_reverts() public {
        ISettle.Fill memory one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT), UNIT, UNIT);
        ISettle.Fill memory other = fillOf(orderOf(bob, 1, 0, UNIT, UNIT / 2), UNIT, UNIT - 1);
        vm.expectRevert(ISettle.NotAPair.selector);
        settlement.pair(one, other, tokens[0], tokens[1], noSignatures);
        other = fillOf(orderOf(bob, 1, 0, UNIT, UNIT), UNIT, UNIT);
        one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT / 2), UNIT, UNIT - 1);
        vm.expectRevert(ISettle.NotAPair.selector);
        settlement.pair(one, other, tokens[0], tokens[1], noSignatures);
    }

    function test_take_withAFee_reverts() public {
        ISettle.Fill memory fill = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        fill.fee = 1;
        vm.expectRevert(abi.encodeWithSelector(ISettle.FeeFromTaker.selector, 1));
        settlement.take(fill, tokens[0], tokens[1]);
        vm.expectRevert(abi.encodeWithSelector(ISettle.FeeFromTaker.selector, 1));
        settlement.takeFromContract(fill, tokens[0], tokens[1], noSignatures);
    }

    // Words ------------------------------------------------------------------------------------------

    function two(uint256 amountIn, uint256 amountOut) private view returns (ISettle.Fill[] memory) {
        return pairUp(
            whole(orderOf(alice, 0, 1, amountIn, amountOut)), whole(orderOf(bob, 1, 0, amountOut, amountIn))
        );
    }

    function order2(address owner, uint256 tokenIn, uint256 tokenOut, uint32 seq)
        private
        view
        returns (ISettle.Order memory order)
    {
        order = orderOf(owner, tokenIn, tokenOut, UNIT, UNIT);
        order.seq = seq;
    }

    function pairUp(ISettle.Fill memory one, ISettle.Fill memory other)
        private
        pure
        returns (ISettle.Fill[] memory fills)
    {
        fills = new ISettle.Fill[](2);
        (fills[0], fills[1]) = (one, other);
    }

    function settleAt(uint128[] memory prices, ISettle.Fill[] memory fills) private {
        vm.prank(matcher);
        settlement.settle(tokens, prices, fills, noSignatures, noAdvances, "");
    }

    function assertMoved(address account, int256 first, int256 second, int256 third) private view {
        int256[3] memory moved = [first, second, third];
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(int256(balance(i, account)), int256(1e9 * UNIT) + moved[i] * int256(UNIT));
        }
    }

    function assertLane(address owner, uint32 lane, uint256 seq, uint256 filled) private view {
        (uint256 foundSeq, uint256 foundFilled) = settlement.laneOf(owner, lane);
        assertEq(foundSeq, seq);
        assertEq(foundFilled, filled);
    }

    function assertHubIsEmpty() private view {
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(balance(i, address(settlement)), 0);
        }
    }
}

/// @title A solver with liquidity of its own: takes the advance and pays what it is told to
contract Solver is ISettleCallback {
    function run(
        ISettle settlement,
        address[] calldata tokens,
        ISettle.Fill[] calldata fills,
        ISettle.Advance[] calldata advances,
        bytes calldata data
    ) external {
        settlement.settle(tokens, new uint128[](0), fills, new bytes[](0), advances, data);
    }

    function runAt(
        ISettle settlement,
        address[] calldata tokens,
        uint128[] calldata prices,
        ISettle.Fill[] calldata fills,
        bytes calldata data
    ) external {
        settlement.settle(tokens, prices, fills, new bytes[](0), new ISettle.Advance[](0), data);
    }

    function onSettle(address[] calldata tokens, bytes calldata data) external {
        (uint256 index, uint256 amount) = abi.decode(data, (uint256, uint256));
        PlainToken(tokens[index]).transfer(msg.sender, amount);
    }
}
