// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {HookToken} from "contracts/mocks/router/HookToken.sol";
import {VaultStandIn} from "contracts/mocks/router/VaultStandIn.sol";

/// @title Hops through vaults of ERC-4626
contract VaultTest is RouterTest {
    uint256 private constant AMOUNT = 1e18;

    VaultStandIn private shares;

    function setUp() public override {
        super.setUp();
        shares = new VaultStandIn(a);
        vm.startPrank(trader);
        a.approve(address(shares), type(uint256).max);
        shares.deposit(3 * AMOUNT, trader);
        shares.approve(address(router), type(uint256).max);
        vm.stopPrank();
        a.mint(address(shares), AMOUNT); // a share is worth four thirds
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_swap_deposit_givesItsPreview(uint256 amount, bool all) public {
        amount = bound(amount, 2, 1e26);
        uint256 quoted = shares.previewDeposit(amount);
        IRouter.Hop[] memory hops = alone(address(a), address(shares), all ? 0 : amount);
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountIn, amount);
        assertEq(amountOut, quoted);
        assertEq(shares.balanceOf(recipient), quoted);
        assertNothingLeft();
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_swap_redeem_givesItsPreview(uint256 amount, bool all) public {
        amount = bound(amount, 1, 3 * AMOUNT);
        uint256 quoted = shares.previewRedeem(amount);
        IRouter.Hop[] memory hops = alone(address(shares), address(a), all ? 0 : amount);
        (uint256 amountIn, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountIn, amount);
        assertEq(amountOut, quoted);
        assertEq(a.balanceOf(recipient), quoted);
        assertNothingLeft();
    }

    /// @dev Shares to assets, straight into the pair that sells those.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_swap_redeemIntoAPair_isPaidByTheVault(uint256 amount) public {
        amount = bound(amount, 1e6, 3 * AMOUNT);
        uint256 quoted = quote(IRouter.Venue.UNISWAP_V2, 0, true, shares.previewRedeem(amount), false);
        IRouter.Hop[] memory hops = new IRouter.Hop[](2);
        hops[0] = alone(address(shares), address(a), amount)[0];
        hops[0].output = IRouter.Output.NEXT_POOL;
        hops[1] = hopOf(IRouter.Venue.UNISWAP_V2, 0);
        (hops[1].input, hops[1].output) = (IRouter.Input.POOL, IRouter.Output.RECIPIENT);
        (, uint256 amountOut) = swap(termsOf(hops, amount, quoted), hops);
        assertEq(amountOut, quoted);
        assertNothingLeft();
    }

    function test_swap_exactSharesOfAVault_reverts() public {
        IRouter.Hop[] memory hops = alone(address(a), address(shares), AMOUNT);
        hops[0].exactOut = true;
        vm.expectRevert(abi.encodeWithSelector(IRouter.ExactOutUnsupported.selector, IRouter.Venue.VAULT));
        swap(termsOf(hops, 2 * AMOUNT, AMOUNT), hops);
    }

    function test_swap_vaultPullsLess_keepsNoApproval() public {
        shares.cheat(5_000, 10_000);
        IRouter.Hop[] memory hops = alone(address(a), address(shares), AMOUNT);
        swap(termsOf(hops, AMOUNT, 1), hops);
        assertEq(a.allowance(address(router), address(shares)), 0);
    }

    function test_swap_vaultGivesNothing_reverts() public {
        shares.cheat(10_000, 0);
        IRouter.Hop[] memory hops = alone(address(a), address(shares), AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(IRouter.AmountOutTooLow.selector, 0, 1));
        swap(termsOf(hops, AMOUNT, 1), hops);
    }

    function test_swap_vaultIsNone_reverts() public {
        IRouter.Hop[] memory hops = alone(address(a), address(b), AMOUNT);
        vm.expectRevert();
        swap(termsOf(hops, AMOUNT, 0), hops);
        IRouter.Hop[] memory back = alone(address(b), address(a), AMOUNT);
        vm.expectRevert();
        swap(termsOf(back, AMOUNT, 0), back);
    }

    function test_swap_strangersShares_stayWhereTheyAre() public {
        IRouter.Hop[] memory hops = alone(address(shares), address(a), AMOUNT);
        hops[0].input = IRouter.Input.ROUTER;
        vm.prank(attacker);
        vm.expectRevert();
        router.swap(termsOf(hops, 0, 0), hops, new IRouter.Check[](0));
        assertEq(shares.balanceOf(trader), 3 * AMOUNT);
    }

    function test_swap_assetReenters_findsTheRouterLocked() public {
        HookToken hook = new HookToken();
        VaultStandIn hooked = new VaultStandIn(TestToken(address(hook)));
        hook.mint(trader, AMOUNT);
        vm.prank(trader);
        hook.approve(address(router), AMOUNT);
        IRouter.Hop[] memory inner = single(IRouter.Venue.UNISWAP_V2, 1);
        hook.setHook(
            address(router),
            abi.encodeCall(router.swap, (termsOf(inner, 1, 0), inner, new IRouter.Check[](0)))
        );
        IRouter.Hop[] memory hops = alone(address(hook), address(hooked), AMOUNT);
        swap(termsOf(hops, AMOUNT, AMOUNT), hops);
        assertEq(hook.answer(), abi.encodeWithSelector(IRouter.Reentered.selector));
    }

    /// forge-config: default.isolate = true
    function test_swap_gas_vault() public {
        a.mint(recipient, 1);
        IRouter.Hop[] memory hops = alone(address(a), address(shares), AMOUNT);
        swap(termsOf(hops, AMOUNT, 1), hops);
        swap(termsOf(hops, AMOUNT, 1), hops);
        vm.snapshotGasLastCall("Router", "Router: 1 hop VAULT, deposit");
        hops = alone(address(shares), address(a), AMOUNT);
        swap(termsOf(hops, AMOUNT, 1), hops);
        vm.snapshotGasLastCall("Router", "Router: 1 hop VAULT, redeem");
    }

    function alone(address tokenIn, address tokenOut, uint256 amount)
        private
        view
        returns (IRouter.Hop[] memory hops)
    {
        hops = new IRouter.Hop[](1);
        hops[0] = IRouter.Hop(
            IRouter.Venue.VAULT,
            IRouter.Input.PAYER,
            IRouter.Output.RECIPIENT,
            false,
            tokenIn == address(a) || tokenOut != address(a) ? tokenOut : tokenIn,
            tokenIn,
            tokenOut,
            amount,
            ""
        );
    }

    function assertNothingLeft() private view {
        assertClean();
        assertEq(shares.balanceOf(address(router)), 0, "shares held");
        assertEq(a.allowance(address(router), address(shares)), 0, "vault approved");
    }
}
