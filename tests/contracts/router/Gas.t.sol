// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAllowanceTransfer, ISwapRouter02} from "./Protocols.sol";
import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";

/// @title Gas as receipts show it (21,000, calldata and execution, all storage cold), with balances and
/// allowances that were not zero before
contract GasTest is RouterTest {
    string private constant GROUP = "Router";
    uint256 private constant AMOUNT = 1e18;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 3; ++i) {
            [a, b, c][i].mint(recipient, 1);
        }
        vm.startPrank(trader);
        a.approve(address(swapRouter), type(uint256).max);
        IAllowanceTransfer(PERMIT2)
            .approve(address(a), address(universalRouter), type(uint160).max, type(uint48).max);
        vm.stopPrank();
        for (uint256 i = 0; i < 6; ++i) {
            swapOnce(IRouter.Venue(i)); // a pool's first swap opens slots that later ones find
        }
    }

    /// forge-config: default.isolate = true
    function test_swap_gas_oneV3Hop_isWithinATenthOfUniswapsRouters() public {
        swapOnce(IRouter.Venue.UNISWAP_V3);
        uint256 ours = vm.snapshotGasLastCall(GROUP, "one hop: UNISWAP_V3");

        bytes[] memory inputs = new bytes[](1);
        inputs[0] = abi.encode(recipient, AMOUNT, 1, abi.encodePacked(a, FEE, b), true);
        vm.prank(trader);
        universalRouter.execute(hex"00", inputs, block.timestamp);
        uint256 universal = vm.snapshotGasLastCall(GROUP, "one hop: UNISWAP_V3, Universal Router");

        vm.prank(trader);
        swapRouter.exactInputSingle(
            ISwapRouter02.Params(address(a), address(b), FEE, recipient, AMOUNT, 1, 0)
        );
        vm.snapshotGasLastCall(GROUP, "one hop: UNISWAP_V3, SwapRouter02 (without deadline)");
        assertLt(ours * 10, universal * 11);
    }

    /// forge-config: default.isolate = true
    function test_swap_gas_oneHopOfEachVenue() public {
        snapshotSingle(IRouter.Venue.UNISWAP_V2, "one hop: UNISWAP_V2");
        snapshotSingle(IRouter.Venue.UNISWAP_V4, "one hop: UNISWAP_V4");
        snapshotSingle(IRouter.Venue.BALANCER_V2, "one hop: BALANCER_V2");
        snapshotSingle(IRouter.Venue.CURVE, "one hop: CURVE (stand-in)");
        snapshotSingle(IRouter.Venue.SOLIDLY, "one hop: SOLIDLY (stand-in)");
    }

    function snapshotSingle(IRouter.Venue venue, string memory name) private {
        swapOnce(venue);
        vm.snapshotGasLastCall(GROUP, name);
    }

    function swapOnce(IRouter.Venue venue) private {
        IRouter.Hop[] memory hops = single(venue, AMOUNT);
        swap(termsOf(hops, AMOUNT, 1), hops);
    }
}
