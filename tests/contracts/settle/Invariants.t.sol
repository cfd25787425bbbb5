// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SettleHandler} from "./SettleHandler.sol";
import {SettleTest} from "./SettleTest.sol";

/// @title What holds through any sequence of batches, right and wrong, and cancellations
contract SettleInvariantsTest is SettleTest {
    SettleHandler private handler;

    function setUp() public override {
        super.setUp();
        address[] memory owners = new address[](6);
        uint256[] memory secrets = new uint256[](6);
        for (uint256 i = 0; i < 6; ++i) {
            owners[i] = maker();
            secrets[i] = keys[owners[i]];
        }
        handler = new SettleHandler(settlement, tokens, owners, secrets);
        targetContract(address(handler));
    }

    /// @dev The contract holds nothing between transactions, and nothing is made or lost.
    function invariant_tokens_areConserved() public view {
        for (uint256 i = 0; i < tokens.length; ++i) {
            assertEq(balance(i, address(settlement)), 0);
            uint256 total = balance(i, address(handler));
            for (uint256 k = 0; k < 6; ++k) {
                total += balance(i, handler.owners(k));
            }
            assertEq(total, 6 * 1e9 * UNIT);
        }
    }

    /// @dev Owners hold what the fills of their own orders say, to the unit: no other call moves a token.
    function invariant_owners_holdWhatTheirFillsSay() public view {
        for (uint256 k = 0; k < 6; ++k) {
            for (uint256 i = 0; i < tokens.length; ++i) {
                int256 change = int256(balance(i, handler.owners(k))) - int256(1e9 * UNIT);
                assertEq(change, handler.moved(k, i));
            }
        }
    }

    function invariant_lanes_areAsTheBooksSay() public view {
        for (uint256 k = 0; k < 6; ++k) {
            for (uint32 lane = 0; lane < 3; ++lane) {
                (uint256 seq, uint256 filled) = settlement.laneOf(handler.owners(k), lane);
                (uint256 bookSeq, uint256 bookFilled) = handler.bookOf(k, lane);
                assertEq(seq, bookSeq);
                assertEq(filled, bookFilled);
            }
        }
    }

    /// @dev Exactly the batches without a fault are taken: limits, fees, sizes, deadlines, seqs, signatures.
    function invariant_batches_areJudgedRight() public view {
        assertEq(handler.misjudged(), 0);
    }

    /// @dev Both kinds must occur for the rest to mean anything.
    function afterInvariant() public view {
        (uint256 accepted, uint256 rejected) = (handler.accepted(), handler.rejected());
        assertGe(accepted, rejected);
        assertLe(accepted, rejected + 1);
    }
}
