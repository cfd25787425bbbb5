// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";

/// @title `Router.swap` on real pools gives what the protocols quote
contract SwapTest is RouterTest {
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
}
