// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SettleTest} from "./SettleTest.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {PlainToken} from "contracts/mocks/PlainToken.sol";

/// @title Gas as receipts show it: 21,000, calldata and execution, all storage cold, with balances,
/// allowances and lanes that were not zero before, and a unit of each token left with the contract
contract SettleGasTest is SettleTest {
    string private constant GROUP = "Settle";

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < tokens.length; ++i) {
            PlainToken(tokens[i]).mint(address(settlement), 1);
        }
    }

    /// forge-config: default.isolate = true
    function test_transfer_gas_bare() public {
        address owner = maker();
        PlainToken(tokens[1]).mint(matcher, 1);
        vm.prank(owner);
        PlainToken(tokens[1]).transfer(matcher, UNIT);
        vm.snapshotGasLastCall(GROUP, "bare transfer of the token");
    }

    /// forge-config: default.isolate = true
    function test_settle_gas_batches() public {
        batch(2);
        batch(10);
        batch(50);
        batch(100);
    }

    /// forge-config: default.isolate = true
    function test_pair_gas() public {
        (address alice, address bob) = (maker(), maker());
        for (uint32 seq = 1; seq < 3; ++seq) {
            ISettle.Fill memory one = orderAt(alice, 0, 1, seq);
            ISettle.Fill memory other = orderAt(bob, 1, 0, seq);
            vm.prank(matcher);
            settlement.pair(one, other, tokens[0], tokens[1], noSignatures);
        }
        vm.snapshotGasLastCall(GROUP, "pair");
    }

    /// forge-config: default.isolate = true
    function test_take_gas() public {
        address alice = maker();
        fund(matcher);
        for (uint32 seq = 1; seq < 3; ++seq) {
            ISettle.Fill memory one = orderAt(alice, 0, 1, seq);
            vm.prank(matcher);
            settlement.take(one, tokens[0], tokens[1]);
        }
        vm.snapshotGasLastCall(GROUP, "take");
    }

    /// forge-config: default.isolate = true
    function test_cancel_gas() public {
        for (uint32 seq = 1; seq < 3; ++seq) {
            vm.prank(matcher);
            settlement.cancel(seq);
        }
        vm.snapshotGasLastCall(GROUP, "cancel");
    }

    /// @dev Twice: the second finds the lanes that the first has made.
    function batch(uint256 count) private {
        address[] memory owners = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            owners[i] = maker();
        }
        ISettle.Fill[] memory fills = new ISettle.Fill[](count);
        for (uint32 seq = 1; seq < 3; ++seq) {
            for (uint256 i = 0; i < count; ++i) {
                fills[i] = orderAt(owners[i], i % 2, 1 - i % 2, seq);
            }
            vm.prank(matcher);
            settlement.settle(pairOfTokens(), noPrices, fills, noSignatures, noAdvances, "");
        }
        vm.snapshotGasLastCall(GROUP, string.concat("settle: orders ", vm.toString(count)));
    }

    function orderAt(address owner, uint256 tokenIn, uint256 tokenOut, uint32 seq)
        private
        view
        returns (ISettle.Fill memory)
    {
        ISettle.Order memory order = orderOf(owner, tokenIn, tokenOut, UNIT + 12345, UNIT + 12345);
        order.seq = seq;
        return whole(order);
    }

    function pairOfTokens() private view returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (tokens[0], tokens[1]);
    }
}
