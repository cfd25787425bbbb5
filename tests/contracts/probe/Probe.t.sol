// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shipped} from "../Shipped.sol";
import {ITokenProbe} from "contracts/interfaces/ITokenProbe.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {OddToken} from "contracts/mocks/router/OddToken.sol";
import {RebasingToken} from "contracts/mocks/tokens/RebasingToken.sol";

/// @title The probe, put where a pool stands, tells what a token does
contract ProbeTest is Shipped {
    uint256 private constant SHARE = 3;
    address private pool = makeAddr("pool");
    TestToken private token = new TestToken("Token", "TKN", 18);

    function setUp() public {
        vm.etch(pool, deployShipped("TokenProbe").code);
    }

    function testFuzz_probe_ofAPlainToken_movesThePartThereAndBack(uint256 held) public {
        token.mint(pool, held);
        ITokenProbe.Moved memory moved = ITokenProbe(pool).probe(address(token), SHARE);
        assertEq(moved.held, held);
        assertEq(moved.sent, held / SHARE);
        assertEq(moved.received, held / SHARE);
        assertEq(moved.returned, held / SHARE);
        assertFalse(moved.failed);
        assertEq(token.balanceOf(pool), held);
    }

    function testFuzz_probe_ofAFee_tellsWhatArrived(uint256 held, uint256 feeBps) public {
        held = bound(held, 30_000, type(uint128).max);
        token.mint(pool, held);
        token.setTransferFeeBps(bound(feeBps, 1, 9_999));
        ITokenProbe.Moved memory moved = ITokenProbe(pool).probe(address(token), SHARE);
        assertEq(moved.sent, held / SHARE);
        assertLt(moved.received, moved.sent);
        assertEq(moved.returned, moved.received - moved.received * token.transferFeeBps() / 10_000);
    }

    function test_probe_ofAPausedToken_tellsTheReason() public {
        token.mint(pool, 1e18);
        token.setPaused(true);
        ITokenProbe.Moved memory moved = ITokenProbe(pool).probe(address(token), SHARE);
        assertTrue(moved.failed);
        assertEq(moved.held, 1e18);
        assertEq(moved.reason, abi.encodeWithSelector(TestToken.Paused.selector));
    }

    function test_probe_ofATokenThatAnswersFalse_fails() public {
        OddToken odd = new OddToken(true);
        odd.mint(pool, 1e18);
        assertTrue(ITokenProbe(pool).probe(address(odd), SHARE).failed);
    }

    function test_probe_ofATokenThatAnswersNothing_moves() public {
        OddToken odd = new OddToken(false);
        odd.mint(pool, 3e18);
        ITokenProbe.Moved memory moved = ITokenProbe(pool).probe(address(odd), SHARE);
        assertFalse(moved.failed);
        assertEq(moved.returned, 1e18);
    }

    function test_probe_ofSharesThatRound_tellsTheDifference() public {
        RebasingToken rebasing = new RebasingToken();
        rebasing.mint(pool, 1e18);
        rebasing.rebase(1.3e18 + 7);
        ITokenProbe.Moved memory moved = ITokenProbe(pool).probe(address(rebasing), SHARE);
        assertNotEq(moved.received, moved.held / SHARE);
    }
}
