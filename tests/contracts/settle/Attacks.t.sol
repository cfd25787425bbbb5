// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SettleTest} from "./SettleTest.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {Signatures} from "contracts/libraries/settle/Signatures.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {HookToken} from "contracts/mocks/router/HookToken.sol";
import {OddToken} from "contracts/mocks/router/OddToken.sol";
import {LaneLibrary} from "contracts/types/Lane.sol";
import {stdError} from "forge-std/StdError.sol";

/// @title What others may try, after the classes of bugs that cost others money
contract SettleAttacksTest is SettleTest {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    address private alice;
    address private bob;
    address private attacker = makeAddr("attacker");

    function setUp() public override {
        super.setUp();
        (alice, bob) = (maker(), maker());
    }

    // Signatures -------------------------------------------------------------------------------------

    /// @dev 0x v2, 2019: a wallet check on an address without code accepted anything.
    function test_settle_contractSignatureOfAnAccountWithoutCode_reverts() public {
        ISettle.Fill memory fill = unsigned(orderOf(alice, 0, 1, UNIT, UNIT), UNIT, UNIT);
        fill.terms |= uint256(uint8(ISettle.Scheme.ERC1271)) << 48;
        refuses(fill, ISettle.WrongSignature.selector, new bytes[](1));
    }

    /// @dev The same, of contracts that answer too little, something else, or revert.
    function test_settle_contractThatDoesNotSayTheMagicWord_reverts() public {
        bytes[4] memory answers =
            [bytes(""), hex"1626ba7e", abi.encode(bytes4(0xffffffff)), abi.encode(uint256(0x1626ba7e))];
        for (uint256 i = 0; i < answers.length; ++i) {
            Wallet wallet = new Wallet(answers[i], false);
            ISettle.Fill memory fill = unsigned(orderOf(address(wallet), 0, 1, UNIT, UNIT), UNIT, UNIT);
            fill.terms |= uint256(uint8(ISettle.Scheme.ERC1271)) << 48;
            refuses(fill, ISettle.WrongSignature.selector, new bytes[](1));
        }
        Wallet broken = new Wallet(abi.encode(bytes4(0x1626ba7e)), true);
        ISettle.Fill memory refused = unsigned(orderOf(address(broken), 0, 1, UNIT, UNIT), UNIT, UNIT);
        refused.terms |= uint256(uint8(ISettle.Scheme.ERC1271)) << 48;
        refuses(refused, ISettle.WrongSignature.selector, new bytes[](1));
    }

    function test_settle_contractThatSigns_settles() public {
        address wallet = address(new Wallet(abi.encode(bytes4(0x1626ba7e)), false));
        fund(wallet);
        ISettle.Fill memory fill = unsigned(orderOf(wallet, 0, 1, UNIT, UNIT), UNIT, UNIT);
        fill.terms |= uint256(uint8(ISettle.Scheme.ERC1271)) << 48;
        settlement.settle(tokens, noPrices, against(fill), new bytes[](1), noAdvances, "");
        assertEq(balance(1, wallet), 1e9 * UNIT + UNIT);
    }

    function test_takeFromContract_thatSigns_settles_andTakeKnowsNoSignatureOfIt() public {
        address wallet = address(new Wallet(abi.encode(bytes4(0x1626ba7e)), false));
        fund(wallet);
        fund(attacker);
        ISettle.Fill memory fill = unsigned(orderOf(wallet, 0, 1, UNIT, UNIT), UNIT, UNIT);
        fill.terms |= uint256(uint8(ISettle.Scheme.ERC1271)) << 48;
        vm.startPrank(attacker);
        vm.expectRevert(stdError.indexOOBError);
        settlement.take(fill, tokens[0], tokens[1]);
        settlement.takeFromContract(fill, tokens[0], tokens[1], new bytes[](1));
        assertEq(balance(1, wallet), 1e9 * UNIT + UNIT);
        assertEq(balance(0, attacker), 1e9 * UNIT + UNIT);
    }

    /// @dev Replay across wallets of one key (2023, fifteen teams): the owner is inside what is signed.
    function test_settle_signatureForAnotherOwner_reverts() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        ISettle.Fill memory fill = whole(order);
        fill.who = (fill.who & type(uint96).max) | (uint256(uint160(bob)) << 96);
        refuses(fill, ISettle.WrongSignature.selector, noSignatures);
    }

    /// @dev UniswapX: ecrecover's zero was compared with a zero that stood for "none".
    function test_settle_zeroOwner_reverts() public {
        ISettle.Fill memory fill = unsigned(orderOf(address(0), 0, 1, UNIT, UNIT), UNIT, UNIT);
        fill.r = bytes32(uint256(1));
        refuses(fill, ISettle.WrongSignature.selector, noSignatures);
    }

    /// @dev Any r and s recover to somebody: not even to them with an s in the upper half (EIP-2).
    function test_isByKey_highS_isFalse() public pure {
        uint256 half = CURVE_ORDER / 2;
        bytes32 r = bytes32(uint256(0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798));
        for (uint256 s = half; s < half + 2; ++s) {
            address signer = ecrecover(bytes32(uint256(1)), 27, r, bytes32(s));
            assertTrue(signer != address(0));
            assertEq(Signatures.isByKey(signer, bytes32(uint256(1)), r, bytes32(s)), s == half);
        }
    }

    function test_isByKey_nobody_isFalse() public pure {
        assertFalse(Signatures.isByKey(address(0), bytes32(uint256(1)), 0, 0));
    }

    function testFuzz_settle_anyTermChanged_reverts(uint8 word, uint8 bit) public {
        ISettle.Fill memory fill = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        (word, bit) = (uint8(bound(word, 0, 2)), uint8(bound(bit, 0, 255)));
        uint256 flip = uint256(1) << bit;
        if (word == 0) fill.who ^= flip;
        else if (word == 1) fill.terms ^= flip;
        else fill.limits ^= flip;
        vm.assume(word != 1 || bit > 39); // the words below are not read
        ISettle.Fill[] memory fills = against(fill);
        vm.prank(matcher);
        try settlement.settle(tokens, noPrices, fills, noSignatures, noAdvances, "") {
            fail();
        } catch {}
    }

    /// @dev A signature counts on one chain and one contract.
    function test_settle_anotherChainOrContract_reverts() public {
        ISettle.Fill[] memory fills = against(whole(orderOf(alice, 0, 1, UNIT, UNIT)));
        ISettle twin = deploySettle();
        vm.expectPartialRevert(ISettle.WrongSignature.selector);
        twin.settle(tokens, noPrices, fills, noSignatures, noAdvances, "");
        vm.chainId(block.chainid + 1);
        vm.expectPartialRevert(ISettle.WrongSignature.selector);
        settlement.settle(tokens, noPrices, fills, noSignatures, noAdvances, "");
    }

    function test_settle_presigned_untilTakenBack() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, 2 * UNIT, 2 * UNIT);
        bytes32 digest = settlement.hashOrder(order);
        ISettle.Fill memory fill = unsigned(order, UNIT, UNIT);
        fill.terms |= uint256(uint8(ISettle.Scheme.PRESIGN)) << 48;
        refuses(fill, ISettle.WrongSignature.selector, noSignatures);
        vm.prank(attacker);
        settlement.presign(0, digest);
        refuses(fill, ISettle.WrongSignature.selector, noSignatures);
        vm.prank(alice);
        settlement.presign(0, digest);
        settle(against(fill));
        vm.prank(alice);
        settlement.presign(0, 0);
        refuses(fill, ISettle.WrongSignature.selector, noSignatures);
    }

    // Replay and cancelling --------------------------------------------------------------------------

    function test_settle_again_reverts() public {
        ISettle.Fill memory fill = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        settle(against(fill));
        refuses(fill, LaneLibrary.Overfilled.selector, noSignatures);
    }

    function test_settle_twiceInOneBatch_reverts() public {
        ISettle.Fill[] memory fills = new ISettle.Fill[](3);
        fills[0] = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        fills[1] = fills[0];
        fills[2] = whole(orderOf(bob, 1, 0, 2 * UNIT, 2 * UNIT));
        vm.expectRevert(abi.encodeWithSelector(LaneLibrary.Overfilled.selector, 2 * UNIT, UNIT));
        settle(fills);
    }

    function test_cancel_killsTheLaneUpToTheSeq_andNoOtherLane() public {
        vm.prank(alice);
        settlement.cancel(5);
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        order.seq = 5;
        refuses(whole(order), LaneLibrary.SeqPassed.selector, noSignatures);
        order.lane = 1;
        settle(against(whole(order)));
        (order.lane, order.seq) = (0, 6);
        ISettle.Fill[] memory fills = new ISettle.Fill[](2);
        ISettle.Order memory next = orderOf(bob, 1, 0, UNIT, UNIT);
        next.seq = 9;
        (fills[0], fills[1]) = (whole(order), whole(next));
        settle(fills);
    }

    function test_cancel_backwards_reverts() public {
        vm.startPrank(alice);
        settlement.cancel(5);
        vm.expectRevert(abi.encodeWithSelector(LaneLibrary.SeqPassed.selector, 5, 6));
        settlement.cancel(5);
        settlement.cancel(type(uint32).max); // the lane's end
        vm.expectRevert(abi.encodeWithSelector(LaneLibrary.SeqPassed.selector, type(uint32).max, 2 ** 32));
        settlement.cancel(type(uint32).max);
        vm.stopPrank();
    }

    function test_settle_laterSeq_killsTheEarlier() public {
        ISettle.Order memory later = orderOf(alice, 0, 1, UNIT, UNIT);
        later.seq = 2;
        settle(against(whole(later)));
        refuses(whole(orderOf(alice, 0, 1, UNIT, UNIT)), LaneLibrary.SeqPassed.selector, noSignatures);
    }

    // Tokens -----------------------------------------------------------------------------------------

    function test_settle_feeOnTransfer_reverts() public {
        TestToken taxed = new TestToken("T", "T", 18);
        taxed.setTransferFeeBps(100);
        (ISettle.Fill memory one, ISettle.Fill memory other) = with(address(taxed));
        ISettle.Fill[] memory fills = new ISettle.Fill[](2);
        (fills[0], fills[1]) = (one, other);
        taxed.mint(address(settlement), UNIT); // even if a gift covers the hub
        vm.expectPartialRevert(ISettle.TransferShort.selector);
        settle(fills);
        vm.expectPartialRevert(ISettle.TransferShort.selector);
        settlement.pair(one, other, tokenOf(one, true), tokenOf(one, false), noSignatures);
    }

    function test_settle_tokenSaysFalse_reverts() public {
        (ISettle.Fill memory one, ISettle.Fill memory other) = with(address(new OddToken(true)));
        ISettle.Fill[] memory fills = new ISettle.Fill[](2);
        (fills[0], fills[1]) = (one, other);
        vm.expectPartialRevert(ISettle.TokenCallFailed.selector);
        settle(fills);
    }

    function test_settle_tokenSaysNothing_settles() public {
        (ISettle.Fill memory one, ISettle.Fill memory other) = with(address(new OddToken(false)));
        ISettle.Fill[] memory fills = new ISettle.Fill[](2);
        (fills[0], fills[1]) = (one, other);
        settle(fills);
    }

    function test_take_tokenWithoutCode_reverts() public {
        fund(matcher);
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        order.tokenIn = attacker;
        tokens.push(attacker);
        ISettle.Fill memory fill = whole(order);
        vm.prank(matcher);
        vm.expectRevert(
            abi.encodeWithSelector(ISettle.TokenCallFailed.selector, attacker, bytes4(0x23b872dd), "")
        );
        settlement.take(fill, attacker, tokens[1]);
    }

    function test_settle_tokenReenters_reverts() public {
        HookToken hook = new HookToken();
        (ISettle.Fill memory one, ISettle.Fill memory other) = with(address(hook));
        bytes memory again = abi.encodeCall(
            settlement.settle, (tokens, noPrices, new ISettle.Fill[](0), noSignatures, noAdvances, "")
        );
        hook.setHook(address(settlement), again);
        ISettle.Fill[] memory fills = new ISettle.Fill[](2);
        (fills[0], fills[1]) = (one, other);
        settle(fills);
        assertEq(hook.answer(), abi.encodeWithSelector(ISettle.Reentered.selector));
        settle(new ISettle.Fill[](0)); // the lock is open again
    }

    /// @dev CoW, 2023: a contract with allowances was made to call a token. Here no input is a call.
    function test_settle_receiverIsTheContract_reverts() public {
        ISettle.Order memory order = orderOf(alice, 0, 1, UNIT, UNIT);
        order.receiver = address(settlement);
        refuses(whole(order), ISettle.TransferShort.selector, noSignatures);
    }

    function test_settle_callbackOfAnotherThanTheSender_isNeverCalled() public {
        vm.prank(attacker); // has no code: the callback has nowhere to go
        vm.expectRevert();
        settlement.settle(tokens, noPrices, new ISettle.Fill[](0), noSignatures, noAdvances, "x");
    }

    function test_settle_advanceNotReturned_reverts() public {
        ISettle.Fill[] memory fills = against(whole(orderOf(alice, 0, 1, UNIT, UNIT)));
        ISettle.Advance[] memory advances = new ISettle.Advance[](1);
        advances[0] = ISettle.Advance(0, 1);
        vm.prank(attacker);
        vm.expectPartialRevert(ISettle.TokenCallFailed.selector); // the hub cannot pay bob any more
        settlement.settle(tokens, noPrices, fills, noSignatures, advances, "");
    }

    // Roles ------------------------------------------------------------------------------------------

    function test_stop_guardianStopsSettlementsOnly_forTwoWeeks() public {
        ISettle.Fill[] memory fills = against(whole(orderOf(alice, 0, 1, UNIT, UNIT)));
        vm.expectRevert(abi.encodeWithSelector(ISettle.NotGuardian.selector, attacker));
        vm.prank(attacker);
        settlement.stop();
        uint256 until = vm.getBlockTimestamp() + 14 days;
        vm.prank(guardian);
        settlement.stop();
        vm.expectRevert(abi.encodeWithSelector(ISettle.SettlementStopped.selector, until));
        settle(fills);
        vm.prank(alice);
        settlement.cancel(7 << 32); // owners are not held
        vm.warp(until);
        vm.expectPartialRevert(ISettle.DeadlinePassed.selector); // it runs again
        settle(fills);
    }

    function test_stop_afterTheGuardiansTime_reverts() public {
        uint256 end = vm.getBlockTimestamp() + 365 days;
        vm.warp(end - 1 days);
        vm.prank(guardian);
        settlement.stop();
        assertEq(settlement.stoppedUntil(), end); // no stop outlives the guardian
        vm.warp(end);
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(ISettle.NotGuardian.selector, guardian));
        settlement.stop();
        settle(against(whole(orderOf(alice, 0, 1, UNIT, UNIT))));
    }

    function test_settle_afterTheSunset_reverts() public {
        uint256 sunset = vm.getBlockTimestamp() + 730 days;
        vm.warp(sunset);
        ISettle.Fill memory fill = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        refuses(fill, ISettle.SunsetPassed.selector, noSignatures);
        vm.expectPartialRevert(ISettle.SunsetPassed.selector);
        settlement.take(fill, tokens[0], tokens[1]);
        vm.expectPartialRevert(ISettle.SunsetPassed.selector);
        settlement.takeFromContract(fill, tokens[0], tokens[1], noSignatures);
    }

    // Words ------------------------------------------------------------------------------------------

    /// @dev The fill, with bob on the other side of it.
    function against(ISettle.Fill memory fill) private view returns (ISettle.Fill[] memory fills) {
        fills = new ISettle.Fill[](2);
        ISettle.Order memory order = orderOf(bob, 1, 0, UNIT, UNIT);
        order.lane = uint32(uint256(keccak256(abi.encode(fill.who, fill.terms)))); // one that is free
        (fills[0], fills[1]) = (fill, whole(order));
    }

    function refuses(ISettle.Fill memory fill, bytes4 selector, bytes[] memory signatures) private {
        ISettle.Fill[] memory fills = against(fill);
        vm.prank(matcher);
        vm.expectPartialRevert(selector);
        settlement.settle(tokens, noPrices, fills, signatures, noAdvances, "");
    }

    /// @dev Puts `token` into the table and lets alice sell it to bob.
    function with(address token) private returns (ISettle.Fill memory one, ISettle.Fill memory other) {
        tokens[2] = token;
        for (uint256 i = 2; i > 0 && tokens[i] < tokens[i - 1]; --i) {
            (tokens[i], tokens[i - 1]) = (tokens[i - 1], tokens[i]);
        }
        uint256 index = indexOf(token);
        uint256 plain = index == 0 ? 1 : 0;
        OddToken(token).mint(alice, 2 * UNIT);
        vm.prank(alice);
        OddToken(token).approve(address(settlement), 2 * UNIT); // whatever it answers
        one = whole(orderOf(alice, index, plain, UNIT, UNIT));
        other = whole(orderOf(bob, plain, index, UNIT, UNIT));
    }

    function tokenOf(ISettle.Fill memory fill, bool sold) private view returns (address) {
        return tokens[uint8(fill.terms >> (sold ? 64 : 56))];
    }
}

/// @title An owner that is a contract: answers what it was told to, or reverts with it
contract Wallet {
    bytes private answer;
    bool private immutable REVERTS;

    constructor(bytes memory answer_, bool reverts) {
        (answer, REVERTS) = (answer_, reverts);
    }

    function isValidSignature(bytes32, bytes calldata) external view {
        bytes memory data = answer;
        if (REVERTS) {
            assembly {
                revert(add(data, 32), mload(data))
            }
        }
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}
