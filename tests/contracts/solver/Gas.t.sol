// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SolverTest} from "./SolverTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {ISolver} from "contracts/interfaces/ISolver.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";

/// @title Gas as receipts show it: 21,000, calldata and execution, all storage cold, with balances that were
/// not zero before, new lanes, and a unit of each token left with the settlement and the treasury
contract SolverGasTest is SolverTest {
    string private constant GROUP = "Solver";

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < tokens.length; ++i) {
            TestToken(tokens[i]).mint(address(settlement), 1);
            TestToken(tokens[i]).mint(treasury, 1);
        }
        settleOrders(1, UNIT);
    }

    /// forge-config: default.isolate = true
    function test_settle_gas_ordersThatMeet() public {
        settleOrders(2, 0);
        vm.snapshotGasLastCall(GROUP, "settle: 2 orders that meet");
        settleOrders(10, 0);
        vm.snapshotGasLastCall(GROUP, "settle: 10 orders that meet");
    }

    /// forge-config: default.isolate = true
    function test_settle_gas_restThroughAPool() public {
        settleOrders(1, UNIT);
        vm.snapshotGasLastCall(GROUP, "settle: 1 order through a v3 pool");
        settleOrders(9, UNIT);
        vm.snapshotGasLastCall(GROUP, "settle: 9 orders, the rest through a v3 pool");
    }

    /// @dev Orders to and fro, the last of an odd number against the pool, which gives more than it asks.
    function settleOrders(uint256 count, uint256 rest) private {
        ISolver.Batch memory batch;
        (batch.tokens, batch.fills) = (pairOfTokens(), new ISettle.Fill[](count));
        for (uint256 i = 0; i < count; ++i) {
            batch.fills[i] = sells(i % 2, 1 - i % 2, UNIT, i + 1 < count ? UNIT : UNIT - rest / 10);
        }
        ISolver.Swap[] memory swaps = new ISolver.Swap[](rest == 0 ? 0 : 1);
        ISolver.Due[] memory dues = new ISolver.Due[](swaps.length);
        if (rest != 0) {
            swaps[0] = swapOf(IRouter.Venue.UNISWAP_V3, 0, rest, 1);
            dues[0] = ISolver.Due(1, UNIT - rest / 10);
            batch.advances = new ISettle.Advance[](1);
            batch.advances[0] = ISettle.Advance(0, rest);
        }
        settleBatch(batch, swaps, dues);
    }

    function pairOfTokens() private view returns (address[] memory pair) {
        pair = new address[](2);
        (pair[0], pair[1]) = (tokens[0], tokens[1]);
    }
}
