// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAllowanceTransfer} from "./Protocols.sol";
import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";

/// @title `Router.swapWithPermit` with the real Permit2: what the signer signed, once, and nothing else
contract PermitTest is RouterTest {
    uint256 private constant AMOUNT = 1e18;
    bytes32 private constant PERMISSIONS_TYPEHASH =
        keccak256("TokenPermissions(address token,uint256 amount)");
    bytes32 private constant WITNESS_TYPEHASH = keccak256(
        "Swap(address owner,address tokenOut,uint256 amountOutMin,address recipient,bytes32 hopsHash,bytes32 checksHash)"
    );
    bytes32 private constant PERMIT_TYPEHASH = keccak256(
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Swap witness)Swap(address owner,address tokenOut,uint256 amountOutMin,address recipient,bytes32 hopsHash,bytes32 checksHash)TokenPermissions(address token,uint256 amount)"
    );

    error InvalidSigner();
    error InvalidNonce();
    error SignatureExpired(uint256 deadline);

    function testFuzz_swapWithPermit_anyVenueAnyNonce_givesItsQuote(
        uint8 venueSeed,
        uint256 amount,
        uint256 nonce
    ) public {
        IRouter.Venue venue = IRouter.Venue(venueSeed % 6);
        amount = bound(amount, 1e6, DEPTH / 10);
        uint256 quoted = quote(venue, 0, true, amount, false);
        IRouter.Hop[] memory hops = held(venue, 0);
        IRouter.Terms memory terms = termsOf(hops, amount, quoted);
        (uint256 amountIn, uint256 amountOut) = bring(terms, hops, sign(terms, hops, none(), nonce));
        assertEq(amountIn, amount);
        assertEq(amountOut, quoted);
        assertClean();
    }

    function test_swapWithPermit_exactOut_refundsTheRest() public {
        uint256 needed = quote(IRouter.Venue.BALANCER_V2, 0, true, AMOUNT, true);
        for (uint256 i = 1; i < 4; ++i) {
            IRouter.Hop[] memory hops = held(IRouter.Venue(i), AMOUNT);
            hops[0].exactOut = true;
            needed = quote(IRouter.Venue(i), 0, true, AMOUNT, true);
            IRouter.Terms memory terms = termsOf(hops, 10 * AMOUNT, AMOUNT);
            uint256 before = a.balanceOf(trader);
            (uint256 amountIn, uint256 amountOut) = bring(terms, hops, sign(terms, hops, none(), i));
            assertEq(amountIn, needed);
            assertEq(amountOut, AMOUNT);
            assertEq(a.balanceOf(trader), before - needed);
            assertClean();
        }
    }

    function test_swapWithPermit_replayed_reverts() public {
        IRouter.Hop[] memory hops = held(IRouter.Venue.UNISWAP_V3, 0);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.Permit memory permit = sign(terms, hops, none(), 7);
        bring(terms, hops, permit);
        vm.expectRevert(InvalidNonce.selector);
        bring(terms, hops, permit);
    }

    function test_swapWithPermit_otherCommandsThanSigned_reverts() public {
        IRouter.Hop[] memory hops = held(IRouter.Venue.UNISWAP_V3, 0);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.Permit memory permit = sign(terms, hops, none(), 0);
        IRouter.Hop[] memory other = held(IRouter.Venue.UNISWAP_V2, 0);
        vm.expectRevert(InvalidSigner.selector);
        bring(terms, other, permit);

        IRouter.Check[] memory checks = new IRouter.Check[](1);
        vm.expectRevert(InvalidSigner.selector);
        vm.prank(attacker);
        router.swapWithPermit(terms, hops, checks, permit);

        bring(terms, hops, permit);
    }

    function testFuzz_swapWithPermit_otherTermsThanSigned_reverts(uint8 field, address stranger) public {
        vm.assume(stranger != recipient && stranger != address(b) && stranger != trader);
        IRouter.Hop[] memory hops = held(IRouter.Venue.UNISWAP_V3, 0);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.Permit memory permit = sign(terms, hops, none(), 0);
        if (field % 7 == 0) terms.recipient = stranger;
        if (field % 7 == 1) terms.amountOutMin = 0;
        if (field % 7 == 2) terms.tokenOut = address(c);
        if (field % 7 == 3) terms.amountInMax += 1;
        if (field % 7 == 4) terms.deadline += 1;
        if (field % 7 == 5) permit.nonce += 1;
        if (field % 7 == 6) permit.owner = attacker;
        vm.expectRevert(InvalidSigner.selector);
        bring(terms, hops, permit);
    }

    function test_swapWithPermit_hopThatTakesMoreByAllowance_reverts() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.Permit memory permit = sign(terms, hops, none(), 0);
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountInExceeded.selector, AMOUNT, 0));
        bring(terms, hops, permit);
    }

    function test_swapWithPermit_signedCheckFails_reverts() public {
        IRouter.Hop[] memory hops = held(IRouter.Venue.UNISWAP_V3, 0);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.Check[] memory checks = new IRouter.Check[](1);
        bytes memory data = abi.encodeCall(b.balanceOf, (attacker));
        checks[0] = IRouter.Check(address(b), data, 0, IRouter.Comparison.AT_LEAST, 1);
        IRouter.Permit memory permit = sign(terms, hops, checks, 0);
        vm.expectRevert(abi.encodeWithSelector(IRouter.CheckFailed.selector, 0, 0, 1));
        router.swapWithPermit(terms, hops, checks, permit);
    }

    function test_swapWithPermit_late_reverts() public {
        IRouter.Hop[] memory hops = held(IRouter.Venue.UNISWAP_V3, 0);
        IRouter.Terms memory terms = termsOf(hops, AMOUNT, 1);
        IRouter.Permit memory permit = sign(terms, hops, none(), 0);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(SignatureExpired.selector, terms.deadline));
        bring(terms, hops, permit);
    }

    function held(IRouter.Venue venue, uint256 amount) private view returns (IRouter.Hop[] memory hops) {
        hops = single(venue, amount);
        hops[0].input = IRouter.Input.ROUTER;
    }

    function none() private pure returns (IRouter.Check[] memory) {
        return new IRouter.Check[](0);
    }

    function bring(IRouter.Terms memory terms, IRouter.Hop[] memory hops, IRouter.Permit memory permit)
        private
        returns (uint256, uint256)
    {
        vm.prank(attacker); // anyone may bring it
        return router.swapWithPermit(terms, hops, none(), permit);
    }

    function sign(
        IRouter.Terms memory terms,
        IRouter.Hop[] memory hops,
        IRouter.Check[] memory checks,
        uint256 nonce
    ) private view returns (IRouter.Permit memory) {
        bytes32 witness = keccak256(
            bytes.concat(
                abi.encode(WITNESS_TYPEHASH, trader, terms.tokenOut, terms.amountOutMin, terms.recipient),
                keccak256(abi.encode(hops)),
                keccak256(abi.encode(checks))
            )
        );
        bytes32 permitted = keccak256(abi.encode(PERMISSIONS_TYPEHASH, terms.tokenIn, terms.amountInMax));
        bytes32 message =
            keccak256(abi.encode(PERMIT_TYPEHASH, permitted, router, nonce, terms.deadline, witness));
        bytes32 digest =
            keccak256(abi.encodePacked("\x19\x01", IAllowanceTransfer(PERMIT2).DOMAIN_SEPARATOR(), message));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(traderKey, digest);
        return IRouter.Permit(trader, nonce, abi.encodePacked(r, s, v));
    }
}
