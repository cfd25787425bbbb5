// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {IPoolManager} from "contracts/interfaces/venues/IPoolManager.sol";

/// @title `Router.swap` gives what the protocols quote, and takes no more
/// forge-config: default.fuzz.runs = 64
contract SwapTest is RouterTest {
    uint256 private constant AMOUNT = 1e18;

    function testFuzz_swap_anyVenue_givesItsQuote(uint8 venueSeed, uint256 amount) public {
        IRouter.Venue venue = IRouter.Venue(venueSeed % 6);
        amount = bound(amount, 1e6, DEPTH / 10);
        uint256 quoted = quote(venue, 0, true, amount, false);
        IRouter.Hop[] memory hops = single(venue, amount);
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountIn, amount);
        assertEq(amountOut, quoted);
        assertEq(b.balanceOf(recipient), quoted);
        assertEq(a.balanceOf(trader), 1e27 - amount);
        assertClean();
    }

    function testFuzz_swap_downwards_givesItsQuote(uint8 venueSeed, uint256 amount) public {
        IRouter.Venue venue = IRouter.Venue(venueSeed % 6);
        amount = bound(amount, 1e6, DEPTH / 10);
        uint256 quoted = quote(venue, 0, false, amount, false);
        IRouter.Hop[] memory hops = single(venue, 0); // all of amountInMax
        (hops[0].tokenIn, hops[0].tokenOut) = (address(b), address(a));
        if (venue == IRouter.Venue.CURVE) hops[0].data = bytes32(uint256((1 << 16) | 1)); // unsigned 1 to 0
        (, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountOut, quoted);
        assertEq(b.balanceOf(trader), 1e27 - amount);
        assertClean();
    }

    /// @dev a to b over some venues, b to c over others: flows split, merge in the router, split again.
    function testFuzz_swap_anyGraph_givesTheSumOfTheQuotes(uint256 seed, uint256 amount) public {
        amount = bound(amount, 1e9, DEPTH / 10);
        uint256 first = 1 + draw(seed, "first") % 6;
        uint256 second = 1 + draw(seed, "second") % 6;
        IRouter.Hop[] memory hops = new IRouter.Hop[](first + second);
        uint256 middle = split(hops, 0, first, amount, seed);
        uint256 quoted = split(hops, first, second, middle, seed);
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountIn, amount);
        assertEq(amountOut, quoted);
        assertEq(c.balanceOf(recipient), quoted);
        assertClean();
    }

    function testFuzz_swap_chainIntoAPair_isPaidByThePoolBefore(uint8 first, bool solidly, uint256 amount)
        public
    {
        amount = bound(amount, 1e9, DEPTH / 10);
        IRouter.Venue last = solidly ? IRouter.Venue.SOLIDLY : IRouter.Venue.UNISWAP_V2;
        IRouter.Hop[] memory hops = new IRouter.Hop[](2);
        hops[0] = hopOf(IRouter.Venue(first % 6), 0);
        (hops[0].input, hops[0].output) = (IRouter.Input.PAYER, IRouter.Output.NEXT_POOL);
        hops[1] = hopOf(last, 1);
        (hops[1].input, hops[1].output) = (IRouter.Input.POOL, IRouter.Output.RECIPIENT);
        uint256 quoted = quote(last, 1, true, quote(IRouter.Venue(first % 6), 0, true, amount, false), false);
        (, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountOut, quoted);
        assertClean();
    }

    /// @dev One unlock for both; the first hop may also buy an exact output, and the second may end in a pair.
    function testFuzz_swap_chainInV4_staysInThePoolManager(uint256 amount, bool exactOut) public {
        amount = bound(amount, 1e9, DEPTH / 10);
        IRouter.Venue v4 = IRouter.Venue.UNISWAP_V4;
        uint256 middle = exactOut ? amount : quote(v4, 0, true, amount, false);
        uint256 needed = exactOut ? quote(v4, 0, true, amount, true) : amount;
        IRouter.Hop[] memory hops = chainInV4(amount);
        hops[0].exactOut = exactOut;
        uint256 quoted = quote(v4, 1, true, middle, false);
        vm.expectCall(address(manager), abi.encodeWithSelector(IPoolManager.unlock.selector), 1);
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, needed, quoted), hops);
        assertEq(amountIn, needed);
        assertEq(amountOut, quoted);
        assertClean();
    }

    function test_swap_chainInV4_paysAPairAfterIt() public {
        IRouter.Hop[] memory hops = new IRouter.Hop[](3);
        (hops[0], hops[1]) = (chainInV4(AMOUNT)[0], chainInV4(AMOUNT)[1]);
        hops[1].output = IRouter.Output.NEXT_POOL;
        hops[2] = hopOf(IRouter.Venue.UNISWAP_V2, 1);
        (hops[2].tokenIn, hops[2].tokenOut) = (address(c), address(b));
        (hops[2].input, hops[2].output) = (IRouter.Input.POOL, IRouter.Output.RECIPIENT);
        (, uint256 amountOut) = swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(b.balanceOf(recipient), amountOut);
        assertClean();
    }

    function test_swap_chainInV4_ofOtherTokens_reverts() public {
        IRouter.Hop[] memory hops = chainInV4(AMOUNT);
        hops[1].tokenIn = NATIVE;
        (hops[1].tokenOut, hops[1].data) = (address(a), nativePlace.data);
        vm.expectRevert(); // CurrencyNotSettled: what the first gave is still the manager's to give
        swap(termsOf(hops, AMOUNT, 0), hops);
    }

    function testFuzz_swap_exactOut_takesItsQuote(uint8 venueSeed, uint256 amount) public {
        IRouter.Venue venue = IRouter.Venue(venueSeed % 4);
        amount = bound(amount, 1e6, DEPTH / 10);
        uint256 needed = quote(venue, 0, true, amount, true);
        IRouter.Hop[] memory hops = single(venue, amount);
        hops[0].exactOut = true;
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, 2 * needed, amount), hops);
        assertEq(amountIn, needed);
        assertEq(amountOut, amount);
        assertEq(a.balanceOf(trader), 1e27 - needed);
        assertClean();

        (hops[0].amount, needed) = (amount, quote(venue, 0, true, amount, true));
        vm.expectRevert();
        swap(termsOf(hops, needed - 1, amount), hops);
    }

    function test_swap_exactOutOfAVenueWithout_reverts() public {
        for (uint256 i = 4; i < 6; ++i) {
            IRouter.Hop[] memory hops = single(IRouter.Venue(i), AMOUNT);
            hops[0].exactOut = true;
            vm.expectRevert(abi.encodeWithSelector(IRouter.ExactOutUnsupported.selector, IRouter.Venue(i)));
            swap(termsOf(hops, AMOUNT, 0), hops);
        }
    }

    function chainInV4(uint256 amount) private view returns (IRouter.Hop[] memory hops) {
        hops = new IRouter.Hop[](2);
        hops[0] = single(IRouter.Venue.UNISWAP_V4, amount)[0];
        hops[0].output = IRouter.Output.NEXT_POOL;
        hops[1] = hopOf(IRouter.Venue.UNISWAP_V4, 1);
        (hops[1].input, hops[1].output) = (IRouter.Input.POOL, IRouter.Output.RECIPIENT);
    }

    // The native coin ----------------------------------------------------------------------------

    function testFuzz_swap_ether_splitsOverNativeAndWrappedPools(uint256 amount, uint256 part) public {
        amount = bound(amount, 1e9, 100 ether);
        part = bound(part, 1, amount - 1);
        IRouter.Hop[] memory hops = new IRouter.Hop[](3);
        hops[0] = nativeHop(part);
        (hops[1].venue, hops[1].input, hops[1].output) =
        (IRouter.Venue.WRAP, IRouter.Input.ROUTER, IRouter.Output.ROUTER);
        hops[1].tokenOut = weth;
        hops[2] = wethHop();
        uint256 before = trader.balance;
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, amount, 1), hops);
        assertEq(amountIn, amount);
        assertEq(a.balanceOf(recipient), amountOut);
        assertEq(trader.balance, before - amount);
        assertClean();
    }

    function testFuzz_swap_etherNotSpent_returns(uint256 amount, uint256 spent) public {
        amount = bound(amount, 2e9, 100 ether);
        spent = bound(spent, 1e9, amount);
        IRouter.Hop[] memory hops = new IRouter.Hop[](1);
        hops[0] = nativeHop(spent);
        uint256 before = trader.balance;
        (uint256 amountIn,) = swap(termsOf(hops, amount, 1), hops);
        assertEq(amountIn, spent);
        assertEq(trader.balance, before - spent);
        assertClean();
    }

    function test_swap_etherNotSpentOfAPayerThatTakesNone_reverts() public {
        IRouter.Hop[] memory hops = new IRouter.Hop[](1);
        hops[0] = nativeHop(1e18);
        vm.deal(address(a), 3e18); // a token is sent no ether
        vm.expectRevert(abi.encodeWithSelector(IRouter.NativeRefused.selector, a, 2e18));
        vm.prank(address(a));
        router.swap{value: 3e18}(termsOf(hops, 3e18, 1), hops, new IRouter.Check[](0));
    }

    function testFuzz_swap_forEther_paysTheRecipientInIt(uint256 amount) public {
        amount = bound(amount, 1e9, 100 ether);
        IRouter.Hop[] memory hops = new IRouter.Hop[](3);
        hops[0] = nativeHop(amount / 2);
        (hops[0].tokenIn, hops[0].tokenOut) = (address(a), NATIVE);
        hops[0].input = IRouter.Input.PAYER;
        hops[1] = wethHop();
        (hops[1].tokenIn, hops[1].tokenOut) = (address(a), weth);
        (hops[1].input, hops[1].output) = (IRouter.Input.PAYER, IRouter.Output.ROUTER);
        (hops[2].venue, hops[2].input) = (IRouter.Venue.UNWRAP, IRouter.Input.ROUTER);
        hops[2].tokenIn = weth;
        (, uint256 amountOut) = swap(termsOf(hops, amount, 1), hops);
        assertEq(recipient.balance, amountOut);
        assertGt(amountOut, amount * 9 / 10);
        assertClean();
    }

    // Bounds -------------------------------------------------------------------------------------

    /// @dev As a signed number it would be an exact output.
    function test_swap_amountBeyondASignedWord_reverts() public {
        uint256 amount = 1 << 255;
        for (uint256 i = 0; i < 2; ++i) {
            IRouter.Hop[] memory hops =
                single(i == 0 ? IRouter.Venue.UNISWAP_V3 : IRouter.Venue.UNISWAP_V4, amount);
            vm.expectRevert(abi.encodeWithSelector(IRouter.AmountTooLarge.selector, amount));
            swap(termsOf(hops, type(uint256).max, 0), hops);
            hops[0].amount = amount - 1; // fits, though no pool has it
            vm.expectPartialRevert(IRouter.PartialFill.selector);
            swap(termsOf(hops, type(uint256).max, 0), hops);
        }
    }

    function testFuzz_swap_cycle_countsWhatComesBack(uint256 amount) public {
        amount = bound(amount, 1e9, DEPTH / 10);
        IRouter.Hop[] memory hops = new IRouter.Hop[](2);
        hops[0] = hopOf(IRouter.Venue.UNISWAP_V2, 0);
        hops[0].input = IRouter.Input.PAYER;
        hops[1] = hopOf(IRouter.Venue.UNISWAP_V3, 0);
        (hops[1].tokenIn, hops[1].tokenOut) = (address(b), address(a));
        hops[1].output = IRouter.Output.RECIPIENT;
        uint256 back = quote(
            IRouter.Venue.UNISWAP_V3, 0, false, quote(IRouter.Venue.UNISWAP_V2, 0, true, amount, false), false
        );
        IRouter.Terms memory terms = termsOf(hops, amount, back);
        terms.recipient = trader;
        (, uint256 amountOut) = swap(terms, hops);
        assertEq(amountOut, back);
        assertEq(a.balanceOf(trader), 1e27 - amount + back);
        assertClean();
    }

    function testFuzz_swap_donationBefore_blocksNobody(uint256 donated) public {
        donated = bound(donated, 1, 1e24);
        a.mint(address(router), donated);
        b.mint(address(router), donated);
        IRouter.Hop[] memory hops = single(IRouter.Venue.CURVE, AMOUNT);
        uint256 quoted = quote(IRouter.Venue.CURVE, 0, true, AMOUNT, false);
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, AMOUNT, quoted), hops);
        assertEq(amountIn, AMOUNT);
        assertEq(amountOut, quoted);
    }

    // Help ---------------------------------------------------------------------------------------

    /// @dev Fill `hops` from `start` with `count` distinct venues of one pair; return what they give.
    function split(IRouter.Hop[] memory hops, uint256 start, uint256 count, uint256 total, uint256 seed)
        private
        returns (uint256 quoted)
    {
        uint256 index = start == 0 ? 0 : 1;
        uint256 rotation = draw(seed, bytes32(start));
        uint256 left = total;
        for (uint256 i = 0; i < count; ++i) {
            IRouter.Venue venue = IRouter.Venue((rotation + i) % 6);
            IRouter.Hop memory hop = hopOf(venue, index);
            bool last = i == count - 1;
            uint256 amount = last ? left : left / (2 + (rotation >> 128) % 3);
            hop.amount = last ? 0 : amount; // the remainder on the last
            if (index == 0) hop.input = IRouter.Input.PAYER;
            if (index == 1) hop.output = IRouter.Output.RECIPIENT;
            hops[start + i] = hop;
            quoted += quote(venue, index, true, amount, false);
            left -= amount;
        }
    }

    function nativeHop(uint256 amount) private view returns (IRouter.Hop memory hop) {
        (hop.venue, hop.input) = (IRouter.Venue.UNISWAP_V4, IRouter.Input.ROUTER);
        (hop.tokenIn, hop.tokenOut, hop.amount) = (NATIVE, address(a), amount);
        hop.data = nativePlace.data;
    }

    function wethHop() private view returns (IRouter.Hop memory hop) {
        (hop.venue, hop.input) = (IRouter.Venue.UNISWAP_V3, IRouter.Input.ROUTER);
        (hop.tokenIn, hop.tokenOut, hop.pool) = (weth, address(a), wethPlace.pool);
    }

    function draw(uint256 seed, bytes32 what) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what)));
    }
}
