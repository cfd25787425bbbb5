// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterTest} from "../router/RouterTest.sol";
import {Orders} from "../settle/Orders.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {ISolver} from "contracts/interfaces/ISolver.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";

/// @title The router's pools, a settlement, its solver, and makers who sell a for b, or b for a
abstract contract SolverTest is RouterTest {
    uint256 internal constant UNIT = 1e18;
    uint256 internal constant PLENTY = 1e9 * UNIT;

    ISettle internal settlement;
    ISolver internal solver;
    address[] internal tokens;
    address internal keeper = makeAddr("keeper");
    address internal treasury = makeAddr("treasury");
    uint256 private makers;
    mapping(address maker => uint256) private keys;

    function setUp() public virtual override {
        vm.warp(1_800_000_000);
        super.setUp();
        bytes memory arguments = abi.encode(address(0), 0, block.timestamp + 730 days);
        settlement = ISettle(deployShipped("Settle", arguments));
        solver = deploySolver(keeper);
        tokens = [address(a), address(b), address(c)];
    }

    function deploySolver(address owner) internal returns (ISolver) {
        return ISolver(deployShipped("Solver", abi.encode(owner, settlement, router)));
    }

    /// @dev An account with a key, who holds every token and allows the settlement all of it.
    function maker() internal returns (address account) {
        uint256 key = uint256(keccak256(abi.encode("maker", ++makers)));
        account = vm.addr(key);
        keys[account] = key;
        for (uint256 i = 0; i < tokens.length; ++i) {
            TestToken(tokens[i]).mint(account, PLENTY);
            vm.prank(account);
            TestToken(tokens[i]).approve(address(settlement), type(uint256).max);
        }
    }

    /// @dev All of an order of a new maker, signed, for the matcher's fee on top.
    function sells(uint256 tokenIn, uint256 tokenOut, uint256 amountIn, uint256 amountOut)
        internal
        returns (ISettle.Fill memory)
    {
        return signed(orderOf(maker(), tokenIn, tokenOut, amountIn, amountOut));
    }

    function orderOf(address owner, uint256 tokenIn, uint256 tokenOut, uint256 amountIn, uint256 amountOut)
        internal
        view
        returns (ISettle.Order memory order)
    {
        order.owner = owner;
        (order.tokenIn, order.tokenOut) = (tokens[tokenIn], tokens[tokenOut]);
        (order.amountIn, order.amountOut) = (uint128(amountIn), uint128(amountOut));
        (order.deadline, order.seq, order.maxFeeBps) = (uint32(block.timestamp + 1 hours), 1, 100);
    }

    function signed(ISettle.Order memory order) internal view returns (ISettle.Fill memory fill) {
        fill = Orders.pack(order, tokens, order.amountIn, order.amountOut);
        (fill.r, fill.vs) = vm.signCompact(keys[order.owner], settlement.hashOrder(order));
    }

    function batchOf(ISettle.Fill memory fill, uint256 advanced)
        internal
        view
        returns (ISolver.Batch memory batch)
    {
        batch.tokens = tokens;
        batch.fills = new ISettle.Fill[](1);
        batch.fills[0] = fill;
        batch.advances = new ISettle.Advance[](1);
        batch.advances[0] = ISettle.Advance(uint8(fill.terms >> 64), advanced);
    }

    /// @dev One hop of a venue between a and b (index 0) or b and c (1), from the solver to itself.
    function swapOf(IRouter.Venue venue, uint256 index, uint256 amountIn, uint256 amountOutMin)
        internal
        view
        returns (ISolver.Swap memory leg)
    {
        leg.hops = single(venue, amountIn);
        IRouter.Hop memory hop = hopOf(venue, index);
        (hop.input, hop.output) = (IRouter.Input.PAYER, IRouter.Output.RECIPIENT);
        hop.amount = amountIn;
        leg.hops[0] = hop;
        leg.terms = termsOf(leg.hops, amountIn, amountOutMin);
        leg.terms.recipient = address(solver);
    }

    function list(ISolver.Swap memory leg) internal pure returns (ISolver.Swap[] memory swaps) {
        swaps = new ISolver.Swap[](1);
        swaps[0] = leg;
    }

    function due(uint256 token, uint256 amount) internal pure returns (ISolver.Due[] memory dues) {
        dues = new ISolver.Due[](1);
        dues[0] = ISolver.Due(token, amount);
    }

    /// @dev As its owner.
    function settleBatch(ISolver.Batch memory batch, ISolver.Swap[] memory swaps, ISolver.Due[] memory dues)
        internal
    {
        vm.prank(keeper);
        solver.settle(batch, swaps, dues, treasury, block.timestamp);
    }

    function held(uint256 token, address account) internal view returns (uint256) {
        return TestToken(tokens[token]).balanceOf(account);
    }

    /// @dev The law after every call: none of the three contracts holds or allows anything.
    function assertNothingLeft() internal view {
        assertClean();
        for (uint256 i = 0; i < tokens.length; ++i) {
            assertEq(held(i, address(solver)), 0, "held by the solver");
            assertEq(held(i, address(settlement)), 0, "held by the settlement");
            assertEq(TestToken(tokens[i]).allowance(address(solver), address(router)), 0, "router allowed");
        }
    }
}
