// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {HookToken} from "contracts/mocks/router/HookToken.sol";

/// @title `Router.swapBasket`: several tokens of the caller's at once
contract BasketTest is RouterTest {
    uint256 private constant AMOUNT = 1e18;

    /// @dev a and c for b, each through its own pool.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_swapBasket_eachToItsPool_givesTheSumOfTheQuotes(
        uint8 first,
        uint8 second,
        uint256 amountA,
        uint256 amountC
    ) public {
        (amountA, amountC) = (bound(amountA, 1e6, DEPTH / 10), bound(amountC, 1e6, DEPTH / 10));
        (IRouter.Venue venueA, IRouter.Venue venueC) = (IRouter.Venue(first % 6), IRouter.Venue(second % 6));
        uint256 quoted = quote(venueA, 0, true, amountA, false) + quote(venueC, 1, false, amountC, false);
        IRouter.Hop[] memory hops = aAndC(venueA, venueC, amountA);
        (uint256 amountIn, uint256 amountOut) =
            swapBasket(termsOf(hops, amountA, quoted), more(address(c), amountC), hops);
        assertEq(amountIn, amountA);
        assertEq(amountOut, quoted);
        assertEq(b.balanceOf(recipient), quoted);
        assertEq(a.balanceOf(trader), 1e27 - amountA);
        assertEq(c.balanceOf(trader), 1e27 - amountC);
        assertClean();
    }

    /// @dev a by way of b, and b beside it, for c: the last hop takes all there is of b.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_swapBasket_tokenByWayOfAnother_merges(uint256 amountA, uint256 amountB) public {
        (amountA, amountB) = (bound(amountA, 1e6, DEPTH / 10), bound(amountB, 1, DEPTH / 10));
        IRouter.Venue v3 = IRouter.Venue.UNISWAP_V3;
        uint256 middle = amountB + quote(v3, 0, true, amountA, false);
        IRouter.Hop[] memory hops = new IRouter.Hop[](2);
        (hops[0], hops[1]) = (hopOf(v3, 0), hopOf(v3, 1));
        (hops[0].input, hops[0].amount) = (IRouter.Input.PAYER, amountA);
        hops[1].output = IRouter.Output.RECIPIENT;
        uint256 quoted = quote(v3, 1, true, middle, false);
        (, uint256 amountOut) = swapBasket(termsOf(hops, amountA, quoted), more(address(b), amountB), hops);
        assertEq(amountOut, quoted);
        assertEq(c.balanceOf(recipient), quoted);
        assertClean();
    }

    function test_swapBasket_etherAndAToken_fills() public {
        IRouter.Hop[] memory hops = new IRouter.Hop[](2);
        hops[0] = hopOf(IRouter.Venue.UNISWAP_V4, 0);
        (hops[0].tokenIn, hops[0].tokenOut) = (NATIVE, address(a));
        (hops[0].pool, hops[0].data) = (nativePlace.pool, nativePlace.data);
        (hops[0].output, hops[0].amount) = (IRouter.Output.RECIPIENT, AMOUNT);
        hops[1] = hopOf(IRouter.Venue.UNISWAP_V2, 0);
        (hops[1].tokenIn, hops[1].tokenOut) = (address(b), address(a));
        hops[1].output = IRouter.Output.RECIPIENT;
        uint256 quoted = quote(IRouter.Venue.UNISWAP_V2, 0, false, AMOUNT, false);
        (uint256 amountIn, uint256 amountOut) =
            swapBasket(termsOf(hops, 2 * AMOUNT, quoted), more(address(b), AMOUNT), hops);
        assertEq(amountIn, AMOUNT, "the rest of the ether is returned");
        assertEq(trader.balance, 1000 ether - AMOUNT);
        assertGt(amountOut, quoted);
        assertEq(a.balanceOf(recipient), amountOut);
        assertClean();
    }

    function test_swapBasket_whatHopsLeave_returnsToTheCaller() public {
        IRouter.Hop[] memory hops = aAndC(IRouter.Venue.UNISWAP_V3, IRouter.Venue.UNISWAP_V3, AMOUNT);
        hops[1].amount = AMOUNT;
        (uint256 amountIn,) = swapBasket(termsOf(hops, 5 * AMOUNT, 1), more(address(c), 3 * AMOUNT), hops);
        assertEq(amountIn, AMOUNT);
        assertEq(a.balanceOf(trader), 1e27 - AMOUNT);
        assertEq(c.balanceOf(trader), 1e27 - AMOUNT);
        assertClean();
    }

    function test_swapBasket_belowTheMinimum_reverts() public {
        IRouter.Hop[] memory hops = aAndC(IRouter.Venue.UNISWAP_V3, IRouter.Venue.UNISWAP_V3, AMOUNT);
        uint256 quoted = quote(IRouter.Venue.UNISWAP_V3, 0, true, AMOUNT, false)
            + quote(IRouter.Venue.UNISWAP_V3, 1, false, AMOUNT, false);
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, quoted, quoted + 1));
        swapBasket(termsOf(hops, AMOUNT, quoted + 1), more(address(c), AMOUNT), hops);
    }

    function test_swapBasket_failingCheck_reverts() public {
        IRouter.Hop[] memory hops = aAndC(IRouter.Venue.UNISWAP_V3, IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Check[] memory checks = new IRouter.Check[](1);
        bytes memory data = abi.encodeCall(c.balanceOf, (trader));
        uint256 left = 1e27 - AMOUNT;
        checks[0] = IRouter.Check(address(c), data, 0, IRouter.Comparison.AT_LEAST, left + 1);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        vm.prank(trader);
        vm.expectRevert(abi.encodeWithSelector(IRouter.CheckFailed.selector, 0, left, left + 1));
        router.swapBasket(terms, more(address(c), AMOUNT), hops, checks);
    }

    function test_swapBasket_wrongValue_reverts() public {
        IRouter.Hop[] memory hops = aAndC(IRouter.Venue.UNISWAP_V3, IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        vm.prank(trader);
        vm.expectRevert(abi.encodeWithSelector(IRouter.ValueMismatch.selector, 1, 0));
        router.swapBasket{value: 1}(terms, more(address(c), AMOUNT), hops, new IRouter.Check[](0));
    }

    function test_swapBasket_etherAmongTheOthers_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        vm.expectPartialRevert(IRouter.TokenCallFailed.selector);
        swapBasket(termsOf(hops, AMOUNT, 1), more(NATIVE, AMOUNT), hops);
    }

    function test_swapBasket_strangerSpendsAnothersAllowance_takesNothing() public {
        IRouter.Hop[] memory hops = aAndC(IRouter.Venue.UNISWAP_V3, IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 0);
        vm.prank(attacker);
        vm.expectPartialRevert(IRouter.TokenCallFailed.selector);
        router.swapBasket(terms, more(address(c), AMOUNT), hops, new IRouter.Check[](0));
        assertEq(c.balanceOf(trader), 1e27);
    }

    function test_swapBasket_tokenReenters_findsTheRouterLocked() public {
        HookToken hook = new HookToken();
        hook.mint(trader, AMOUNT);
        vm.prank(trader);
        hook.approve(address(router), AMOUNT);
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.TokenAmount[] memory others = more(address(hook), AMOUNT);
        hook.setHook(
            address(router), abi.encodeCall(router.swapBasket, (terms, others, hops, new IRouter.Check[](0)))
        );
        swapBasket(terms, others, hops);
        assertEq(hook.answer(), abi.encodeWithSelector(IRouter.Reentered.selector));
        assertEq(hook.balanceOf(trader), AMOUNT, "no hop sold it");
    }

    /// forge-config: default.isolate = true
    function test_swapBasket_gas() public {
        b.mint(recipient, 1);
        IRouter.Hop[] memory hops = aAndC(IRouter.Venue.UNISWAP_V3, IRouter.Venue.UNISWAP_V3, AMOUNT);
        swapBasket(termsOf(hops, AMOUNT, 1), more(address(c), AMOUNT), hops);
        swapBasket(termsOf(hops, AMOUNT, 1), more(address(c), AMOUNT), hops);
        vm.snapshotGasLastCall("Router", "Router: basket of 2 tokens, 2 hops UNISWAP_V3");
    }

    /// @dev a for b paid by the trader, and all of c for b.
    function aAndC(IRouter.Venue venueA, IRouter.Venue venueC, uint256 amountA)
        private
        view
        returns (IRouter.Hop[] memory hops)
    {
        hops = new IRouter.Hop[](2);
        hops[0] = single(venueA, amountA)[0];
        hops[1] = hopOf(venueC, 1);
        (hops[1].tokenIn, hops[1].tokenOut) = (address(c), address(b));
        if (venueC == IRouter.Venue.CURVE) hops[1].data = bytes32(uint256((1 << 16) | 1));
        hops[1].output = IRouter.Output.RECIPIENT;
    }

    function more(address token, uint256 amount) private pure returns (IRouter.TokenAmount[] memory others) {
        others = new IRouter.TokenAmount[](1);
        others[0] = IRouter.TokenAmount(token, amount);
    }

    function swapBasket(
        IRouter.Terms memory terms,
        IRouter.TokenAmount[] memory others,
        IRouter.Hop[] memory hops
    ) private returns (uint256, uint256) {
        uint256 value = terms.tokenIn == NATIVE ? terms.amountInMax : 0;
        vm.prank(trader);
        return router.swapBasket{value: value}(terms, others, hops, new IRouter.Check[](0));
    }
}
