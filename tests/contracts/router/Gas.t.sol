// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAllowanceTransfer, ISwapRouter02} from "./Protocols.sol";
import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {IPoolManager} from "contracts/interfaces/venues/IPoolManager.sol";

/// @title Gas as receipts show it (21,000, calldata and execution, all storage cold), with balances and
/// allowances that were not zero before; Uniswap's routers on the same pools beside ours
contract GasTest is RouterTest {
    string private constant GROUP = "Router";
    uint256 private constant AMOUNT = 1e18;
    string[6] private names = ["UNISWAP_V2", "UNISWAP_V3", "UNISWAP_V4", "BALANCER_V2", "CURVE", "SOLIDLY"];

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
            swapChain(IRouter.Venue(i), 2); // a pool's first swap opens slots that later ones find
        }
    }

    /// forge-config: default.isolate = true
    function test_swap_gas_oneV3Hop_isWithinATenthOfTheUniversalRouters() public {
        swapChain(IRouter.Venue.UNISWAP_V3, 1);
        uint256 ours = vm.lastCallGas().gasTotalUsed;
        universal(hex"00", abi.encode(recipient, AMOUNT, 1, pathV3(1), true));
        assertLt(ours * 10, uint256(vm.lastCallGas().gasTotalUsed) * 11);
    }

    /// forge-config: default.isolate = true
    function test_swap_gas_hopsOfEachVenue() public {
        for (uint256 i = 0; i < 6; ++i) {
            for (uint256 count = 1; count < 3; ++count) {
                swapChain(IRouter.Venue(i), count);
                snapshot("Router", names[i], count);
            }
        }
    }

    /// forge-config: default.isolate = true
    function test_swap_gas_checksAndSplits() public {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        IRouter.Check[] memory checks = new IRouter.Check[](1);
        bytes memory data = abi.encodeCall(b.balanceOf, (recipient));
        checks[0] = IRouter.Check(address(b), data, 0, IRouter.Comparison.AT_LEAST, 1);
        vm.prank(trader);
        router.swap(termsOf(hops, AMOUNT, 1), hops, checks);
        vm.snapshotGasLastCall(GROUP, "Router: 1 hop UNISWAP_V3, 1 check");

        hops = new IRouter.Hop[](2);
        hops[0] = single(IRouter.Venue.UNISWAP_V3, AMOUNT)[0];
        hops[1] = single(IRouter.Venue.UNISWAP_V2, AMOUNT)[0];
        swap(termsOf(hops, 2 * AMOUNT, 1), hops);
        vm.snapshotGasLastCall(GROUP, "Router: split over UNISWAP_V3 and UNISWAP_V2");
    }

    /// forge-config: default.isolate = true
    function test_universalRouter_gas() public {
        for (uint256 count = 1; count < 3; ++count) {
            universal(hex"08", abi.encode(recipient, AMOUNT, 1, pathV2(count), true));
            snapshot("Universal Router", names[0], count);
            universal(hex"00", abi.encode(recipient, AMOUNT, 1, pathV3(count), true));
            snapshot("Universal Router", names[1], count);
            universal(hex"10", actionsV4(count));
            snapshot("Universal Router", names[2], count);
        }
    }

    /// forge-config: default.isolate = true
    function test_swapRouter02_gas() public {
        for (uint256 count = 1; count < 3; ++count) {
            multicall(
                abi.encodeWithSignature(
                    "swapExactTokensForTokens(uint256,uint256,address[],address)",
                    AMOUNT,
                    1,
                    pathV2(count),
                    recipient
                )
            );
            snapshot("SwapRouter02", names[0], count);
            multicall(
                count == 1
                    ? abi.encodeCall(
                        swapRouter.exactInputSingle,
                        (ISwapRouter02.Params(address(a), address(b), FEE, recipient, AMOUNT, 1, 0))
                    )
                    : abi.encodeWithSignature(
                        "exactInput((bytes,address,uint256,uint256))",
                        ISwapRouter02.PathParams(pathV3(2), recipient, AMOUNT, 1)
                    )
            );
            snapshot("SwapRouter02", names[1], count);
        }
    }

    function snapshot(string memory who, string memory venue, uint256 count) private {
        vm.snapshotGasLastCall(GROUP, string.concat(who, ": ", count == 1 ? "1 hop " : "2 hops ", venue));
    }

    /// @dev One hop from a to b, or two to c, through pools of one venue.
    function swapChain(IRouter.Venue venue, uint256 count) private {
        IRouter.Hop[] memory hops = new IRouter.Hop[](count);
        hops[0] = single(venue, AMOUNT)[0];
        if (count == 2) {
            bool prepaid = venue == IRouter.Venue.UNISWAP_V2 || venue == IRouter.Venue.UNISWAP_V4
                || venue == IRouter.Venue.SOLIDLY;
            hops[0].output = prepaid ? IRouter.Output.NEXT_POOL : IRouter.Output.ROUTER;
            hops[1] = hopOf(venue, 1);
            hops[1].input = prepaid ? IRouter.Input.POOL : IRouter.Input.ROUTER;
            hops[1].output = IRouter.Output.RECIPIENT;
        }
        swap(termsOf(hops, AMOUNT, 1), hops);
    }

    function universal(bytes memory commands, bytes memory input) private {
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = input;
        vm.prank(trader);
        universalRouter.execute(commands, inputs, block.timestamp);
    }

    function multicall(bytes memory call) private {
        bytes[] memory calls = new bytes[](1);
        calls[0] = call;
        vm.prank(trader);
        swapRouter.multicall(block.timestamp, calls);
    }

    function pathV2(uint256 count) private view returns (address[] memory path) {
        path = new address[](count + 1);
        for (uint256 i = 0; i <= count; ++i) {
            path[i] = address([a, b, c][i]);
        }
    }

    function pathV3(uint256 count) private view returns (bytes memory) {
        return count == 1 ? abi.encodePacked(a, FEE, b) : abi.encodePacked(a, FEE, b, FEE, c);
    }

    /// @dev Swaps in single pools, one settlement, one take: amount 0 is all that is open.
    function actionsV4(uint256 count) private view returns (bytes memory) {
        bytes[] memory inputs = new bytes[](count + 2);
        for (uint256 i = 0; i < count; ++i) {
            (address token0, address token1) = pairOf(i, true);
            inputs[i] = abi.encode(
                V4Single(
                    IPoolManager.PoolKey(token0, token1, FEE, SPACING, address(0)),
                    true,
                    i == 0 ? uint128(AMOUNT) : 0,
                    0,
                    ""
                )
            );
        }
        inputs[count] = abi.encode(a, AMOUNT, true);
        inputs[count + 1] = abi.encode(count == 1 ? b : c, recipient, 0);
        return abi.encode(count == 1 ? bytes(hex"060b0e") : bytes(hex"06060b0e"), inputs);
    }

    struct V4Single {
        IPoolManager.PoolKey key;
        bool zeroForOne;
        uint128 amountIn;
        uint128 amountOutMinimum;
        bytes hookData;
    }
}
