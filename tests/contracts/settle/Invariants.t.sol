// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SettleHandler} from "./SettleHandler.sol";
import {SettleTest} from "./SettleTest.sol";
import {console} from "forge-std/console.sol";

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

    /// @dev One run for all of them: what is random here costs more than what is asked after it.
    function invariant_everything_isAsTheBooksSay() public view {
        assertEq(handler.misjudged(), 0, "batches without a fault, and no others, are taken");
        assertEq(handler.words(), handler.lanes(), "state grows with lanes, not with orders");
        for (uint256 i = 0; i < tokens.length; ++i) {
            assertConserved(i);
        }
        for (uint256 k = 0; k < 6; ++k) {
            assertLanes(k);
            for (uint256 i = 0; i < tokens.length; ++i) {
                int256 change = int256(balance(i, handler.owners(k))) - int256(1e9 * UNIT);
                assertEq(change, handler.moved(k, i), "owners hold what the fills of their own orders say");
            }
        }
    }

    function assertConserved(uint256 token) private view {
        assertEq(balance(token, address(settlement)), 0, "nothing stays with the contract");
        uint256 total = balance(token, address(handler));
        for (uint256 k = 0; k < 6; ++k) {
            total += balance(token, handler.owners(k));
        }
        assertEq(total, 6 * 1e9 * UNIT, "nothing is made or lost");
    }

    function assertLanes(uint256 owner) private view {
        for (uint32 lane = 0; lane < 3; ++lane) {
            (uint256 seq, uint256 filled) = settlement.laneOf(handler.owners(owner), lane);
            (uint256 bookSeq, uint256 bookFilled) = handler.bookOf(owner, lane);
            assertEq(seq, bookSeq);
            assertEq(filled, bookFilled);
        }
    }

    /// @dev Both kinds must occur for the rest to mean anything: half of each, to the one.
    function afterInvariant() public view {
        (uint256 accepted, uint256 rejected) = (handler.accepted(), handler.rejected());
        console.log("batches accepted %d, rejected %d", accepted, rejected);
        assertGe(accepted, rejected);
        assertLe(accepted, rejected + 1);
    }
}
