// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPairV2} from "./Protocols.sol";
import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {GreedyPool} from "contracts/mocks/router/GreedyPool.sol";
import {HookToken} from "contracts/mocks/router/HookToken.sol";
import {OddToken} from "contracts/mocks/router/OddToken.sol";

/// @title What others may try
contract AttacksTest is RouterTest {
    uint256 private constant AMOUNT = 1e18;

    // A malicious pool ---------------------------------------------------------------------------

    function test_swap_poolAsksForMoreThanTheMaximum_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        hops[0].pool = address(new GreedyPool(AMOUNT + 1, 1));
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountInExceeded.selector, AMOUNT + 1, AMOUNT));
        swap(termsOf(hops, AMOUNT, 1), hops);
    }

    function test_swap_poolCallsBackTwice_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        hops[0].pool = address(new GreedyPool(AMOUNT / 2, 2));
        vm.expectRevert(abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, hops[0].pool));
        swap(termsOf(hops, AMOUNT, 1), hops);
    }

    function test_swap_poolNeverCallsBack_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        hops[0].pool = address(new GreedyPool(AMOUNT, 0));
        vm.expectRevert(abi.encodeWithSelector(IRouter.CallbackMissing.selector, hops[0].pool));
        swap(termsOf(hops, AMOUNT, 1), hops);
    }

    function test_swap_poolTakesTheInputAndGivesNothing_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        hops[0].pool = address(new GreedyPool(AMOUNT, 1));
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, 0, 1));
        swap(termsOf(hops, AMOUNT, 1), hops);
    }

    function test_swap_hopSellsAnotherTokenOfThePayer_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        terms.tokenIn = address(c);
        vm.expectRevert(abi.encodeWithSelector(IRouter.NotTokenIn.selector, a, c));
        swap(terms, hops);
    }

    function test_swap_curvePoolPullsLess_keepsNoApproval() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.CURVE, AMOUNT);
        LazyPool pool = new LazyPool(a, b);
        b.mint(address(pool), AMOUNT);
        hops[0].pool = address(pool);
        swap(termsOf(hops, AMOUNT, AMOUNT), hops);
        assertEq(a.allowance(address(router), address(pool)), 0);
        vm.expectRevert();
        pool.takeTheRest(address(router));
    }

    // A stranger ---------------------------------------------------------------------------------

    function test_uniswapV3SwapCallback_stranger_reverts() public {
        vm.startPrank(attacker);
        vm.expectRevert(abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, attacker));
        router.uniswapV3SwapCallback(1, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, attacker));
        router.pancakeV3SwapCallback(1, 0, "");
    }

    function test_uniswapV3SwapCallback_strangerDuringASwap_reverts() public {
        (HookToken hook, IRouter.Hop[] memory hops) = hooked(IRouter.Venue.UNISWAP_V3);
        hook.setHook(address(router), abi.encodeCall(router.uniswapV3SwapCallback, (int256(AMOUNT), 0, "")));
        swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(hook.answer(), abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, hook), "callback");
    }

    /// @dev A v3 pool gives first and then asks: what it gives may call out while it is still expected.
    function test_uniswapV3SwapCallback_strangerBeforeThePool_reverts() public {
        HookToken hook = new HookToken();
        (address token0, address token1) = sorted(address(hook));
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        (hops[0].tokenIn, hops[0].tokenOut) = (address(b), address(hook));
        hops[0].pool = addV3(token0, token1);
        hook.setHook(address(router), abi.encodeCall(router.uniswapV3SwapCallback, (int256(AMOUNT), 0, "")));
        swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(hook.answer(), abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, hook), "callback");
    }

    function test_unlockCallback_stranger_reverts() public {
        vm.prank(attacker);
        vm.expectRevert(abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, attacker));
        router.unlockCallback("");
    }

    function test_unlockCallback_strangerThatUnlockedTheManager_reverts() public {
        Unlocker unlocker = new Unlocker();
        vm.expectRevert(abi.encodeWithSelector(IRouter.UnexpectedCallback.selector, unlocker));
        unlocker.attack(address(manager), router);
    }

    function test_swap_strangerSpendsAnotherPayersAllowance_takesNothing() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 0);
        vm.prank(attacker);
        vm.expectPartialRevert(IRouter.TokenCallFailed.selector);
        router.swap(terms, hops, new IRouter.Check[](0));
        assertEq(a.balanceOf(trader), 1e27);
    }

    function test_swap_strangerSweepsAfterASwap_findsNothing() public {
        IRouter.Hop[] memory hops = new IRouter.Hop[](2);
        hops[0] = hopOf(IRouter.Venue.UNISWAP_V3, 0);
        (hops[0].input, hops[0].amount) = (IRouter.Input.PAYER, AMOUNT);
        hops[1] = hopOf(IRouter.Venue.BALANCER_V2, 1);
        hops[1].output = IRouter.Output.RECIPIENT;
        swap(termsOf(hops, AMOUNT, 1), hops);
        assertClean();
        for (uint256 i = 0; i < 3; ++i) {
            IRouter.Hop[] memory sweep = new IRouter.Hop[](1);
            sweep[0] = hopOf(IRouter.Venue.UNISWAP_V2, 0);
            sweep[0].tokenIn = address([a, b, c][i]);
            IRouter.Terms memory terms = termsOf(sweep, 0, 0);
            vm.prank(attacker);
            vm.expectRevert();
            router.swap(terms, sweep, new IRouter.Check[](0));
        }
    }

    function test_receive_etherOfAStranger_reverts() public {
        vm.deal(attacker, 1);
        vm.prank(attacker);
        (bool accepted, bytes memory answer) = address(router).call{value: 1}("");
        assertFalse(accepted);
        assertEq(answer, abi.encodeWithSelector(IRouter.UnexpectedValue.selector, attacker));
    }

    // Re-entrancy --------------------------------------------------------------------------------

    function test_swap_tokenReenters_findsTheRouterLocked() public {
        (HookToken hook, IRouter.Hop[] memory hops) = hooked(IRouter.Venue.UNISWAP_V2);
        IRouter.Hop[] memory inner = single(IRouter.Venue.UNISWAP_V2, 1);
        hook.setHook(
            address(router),
            abi.encodeCall(router.swap, (termsOf(inner, 1, 0), inner, new IRouter.Check[](0)))
        );
        swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(hook.answer(), abi.encodeWithSelector(IRouter.Reentered.selector), "swap");
        IRouter.Permit memory permit;
        hook.setHook(
            address(router),
            abi.encodeCall(
                router.swapWithPermit, (termsOf(inner, 1, 0), inner, new IRouter.Check[](0), permit)
            )
        );
        swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(hook.answer(), abi.encodeWithSelector(IRouter.Reentered.selector), "swapWithPermit");
    }

    function test_swap_payerReentersWhenRefunded_findsTheRouterLocked() public {
        Payer payer = new Payer(router);
        vm.deal(address(payer), 2 ether);
        IRouter.Hop[] memory hops = new IRouter.Hop[](1);
        (hops[0].venue, hops[0].input) = (IRouter.Venue.WRAP, IRouter.Input.ROUTER);
        (hops[0].tokenOut, hops[0].amount) = (weth, 1 ether);
        IRouter.Terms memory terms = termsOf(hops, 2 ether, 1 ether);
        payer.swap(terms, hops);
        assertEq(payer.answer(), abi.encodeWithSelector(IRouter.Reentered.selector));
        assertEq(address(payer).balance, 1 ether);
    }

    // Tokens -------------------------------------------------------------------------------------

    function test_swap_tokenAnswersFalse_reverts() public {
        (address odd, IRouter.Hop[] memory hops) = withPair(address(new OddToken(true)));
        vm.expectRevert(
            abi.encodeWithSelector(
                IRouter.TokenCallFailed.selector, odd, a.transferFrom.selector, abi.encode(false)
            )
        );
        swap(termsOf(hops, AMOUNT, 0), hops);
    }

    function test_swap_tokenRevertsWithoutAReason_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        vm.mockCallRevert(address(a), abi.encodeWithSelector(a.transferFrom.selector), "");
        vm.expectRevert(
            abi.encodeWithSelector(IRouter.TokenCallFailed.selector, a, a.transferFrom.selector, "")
        );
        swap(termsOf(hops, AMOUNT, 0), hops);
    }

    function test_swap_tokenAnswersNothing_fills() public {
        (address odd, IRouter.Hop[] memory hops) = withPair(address(new OddToken(false)));
        fundPair(odd, hops[0].pool);
        (, uint256 amountOut) = swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(amountOut, b.balanceOf(recipient));
    }

    function test_swap_tokenIsNoContract_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        hops[0].tokenIn = makeAddr("nobody");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRouter.TokenCallFailed.selector, hops[0].tokenIn, a.transferFrom.selector, ""
            )
        );
        swap(termsOf(hops, AMOUNT, 0), hops);
    }

    function test_swap_feeOnTransferIntoAPair_fillsForWhatArrives() public {
        uint256 arriving = AMOUNT - AMOUNT / 100;
        uint256 quoted = quote(IRouter.Venue.UNISWAP_V2, 0, true, arriving, false);
        a.setTransferFeeBps(100);
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        (, uint256 amountOut) = swap(termsOf(hops, AMOUNT, quoted), hops);
        assertEq(amountOut, quoted);
    }

    function test_swap_feeOnTransferQuotedWithoutIt_reverts() public {
        uint256 promised = quote(IRouter.Venue.UNISWAP_V2, 0, true, AMOUNT, false);
        uint256 given = quote(IRouter.Venue.UNISWAP_V2, 0, true, AMOUNT - AMOUNT / 100, false);
        a.setTransferFeeBps(100);
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, given, promised));
        swap(termsOf(hops, AMOUNT, promised), hops);
    }

    function test_swap_feeOnTransferIntoAV3Pool_reverts() public {
        a.setTransferFeeBps(100);
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        vm.expectRevert(bytes("IIA"));
        swap(termsOf(hops, AMOUNT, 0), hops);
    }

    function test_swap_feeOnTransferOfTheOutput_countsWhatArrives() public {
        uint256 quoted = quote(IRouter.Venue.UNISWAP_V3, 0, true, AMOUNT, false);
        b.setTransferFeeBps(100);
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        uint256 arriving = quoted - quoted / 100;
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, arriving, quoted));
        swap(termsOf(hops, AMOUNT, quoted), hops);
    }

    // The market ---------------------------------------------------------------------------------

    function testFuzz_swap_sandwichedAfterItsQuote_reverts(uint8 venueSeed, uint256 push) public {
        IRouter.Venue venue = IRouter.Venue(venueSeed % 6);
        push = bound(push, AMOUNT, DEPTH / 10);
        uint256 quoted = quote(venue, 0, true, AMOUNT, false);
        IRouter.Hop[] memory front = single(venue, push);
        swap(termsOf(front, push, 1), front);
        uint256 worse = quote(venue, 0, true, AMOUNT, false);
        vm.assume(worse < quoted);
        IRouter.Hop[] memory hops = single(venue, AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, worse, quoted));
        swap(termsOf(hops, AMOUNT, quoted), hops);
    }

    function test_swap_lateOrWithOtherValue_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRouter.DeadlinePassed.selector, terms.deadline, terms.deadline + 1)
        );
        swap(terms, hops);
        terms.deadline += 1;
        vm.prank(trader);
        vm.expectRevert(abi.encodeWithSelector(IRouter.ValueMismatch.selector, 1, 0));
        router.swap{value: 1}(terms, hops, new IRouter.Check[](0));
    }

    function test_swap_liquidityEndsBeforeTheAmount_reverts() public {
        for (uint256 i = 1; i < 3; ++i) {
            IRouter.Hop[] memory hops = single(IRouter.Venue(i), 1e27);
            vm.expectPartialRevert(IRouter.PartialFill.selector);
            swap(termsOf(hops, 1e27, 0), hops);
        }
    }

    // Help ---------------------------------------------------------------------------------------

    function hooked(IRouter.Venue venue) private returns (HookToken hook, IRouter.Hop[] memory hops) {
        hook = new HookToken();
        hops = single(venue, AMOUNT);
        hops[0].tokenIn = address(hook);
        hook.mint(trader, 10 * AMOUNT);
        vm.prank(trader);
        hook.approve(address(router), type(uint256).max);
        if (venue == IRouter.Venue.UNISWAP_V3) {
            (address token0, address token1) = sorted(address(hook));
            hops[0].pool = addV3(token0, token1);
        } else {
            hops[0].pool = factoryV2.createPair(address(hook), address(b));
            fundPair(address(hook), hops[0].pool);
        }
    }

    function withPair(address odd) private returns (address, IRouter.Hop[] memory hops) {
        hops = single(IRouter.Venue.UNISWAP_V2, AMOUNT);
        hops[0].tokenIn = odd;
        hops[0].pool = factoryV2.createPair(odd, address(b));
        OddToken(odd).mint(trader, AMOUNT);
        vm.prank(trader);
        OddToken(odd).approve(address(router), AMOUNT);
        return (odd, hops);
    }

    function fundPair(address odd, address pair) private {
        OddToken(odd).mint(pair, DEPTH);
        b.mint(pair, DEPTH);
        IPairV2(pair).mint(address(this));
    }

    function sorted(address one) private view returns (address, address) {
        return one < address(b) ? (one, address(b)) : (address(b), one);
    }
}

interface IUnlock {
    function unlock(bytes calldata data) external returns (bytes memory);
}

/// @title Unlocks the PoolManager itself and passes the callback on to the router
contract Unlocker {
    IRouter private router;

    function attack(address manager, IRouter router_) external {
        router = router_;
        IUnlock(manager).unlock("");
    }

    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        return router.unlockCallback(data);
    }
}

/// @title A payer that swaps again when its ether comes back
contract Payer {
    IRouter private immutable ROUTER;
    bytes public answer;
    bytes private again;

    constructor(IRouter router) {
        ROUTER = router;
    }

    receive() external payable {
        (, answer) = address(ROUTER).call{value: msg.value}(again);
    }

    function swap(IRouter.Terms memory terms, IRouter.Hop[] memory hops) external {
        uint256 value = terms.amountInMax;
        terms.amountInMax = value / 2;
        again = abi.encodeCall(IRouter.swap, (terms, hops, new IRouter.Check[](0)));
        terms.amountInMax = value;
        ROUTER.swap{value: value}(terms, hops, new IRouter.Check[](0));
    }
}

/// @title A pool of Curve's kind that pulls half of what it is offered, and comes back for the rest
contract LazyPool {
    TestToken private immutable TOKEN_IN;
    TestToken private immutable TOKEN_OUT;

    constructor(TestToken tokenIn, TestToken tokenOut) {
        (TOKEN_IN, TOKEN_OUT) = (tokenIn, tokenOut);
    }

    function exchange(int128, int128, uint256 dx, uint256) external {
        TOKEN_IN.transferFrom(msg.sender, address(this), dx / 2);
        TOKEN_OUT.transfer(msg.sender, dx);
    }

    function takeTheRest(address router) external {
        TOKEN_IN.transferFrom(router, address(this), 1);
    }
}
