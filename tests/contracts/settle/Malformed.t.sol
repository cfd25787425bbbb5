// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SettleTest} from "./SettleTest.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {HookToken} from "contracts/mocks/router/HookToken.sol";

/// @title Calls that are put together wrongly, or at the wrong time: nothing of them stays
contract MalformedTest is SettleTest {
    address private alice;
    address private bob;

    function setUp() public override {
        super.setUp();
        (alice, bob) = (maker(), maker());
    }

    /// @dev 1inch Fusion, 2025: what the caller's words point at was not held to what is there.
    function testFuzz_settle_indexBeyondTheLists_reverts(uint8 index, uint8 field, uint256 signature) public {
        index = uint8(bound(index, 3, 255));
        ISettle.Fill[] memory fills = two();
        if (field % 4 == 0) fills[0].terms |= uint256(index) << 64; // tokenIn
        else if (field % 4 == 1) fills[0].terms |= uint256(index) << 56; // tokenOut
        else if (field % 4 == 2) fills[0].terms |= uint256(index) << 48; // scheme
        else (fills[0].terms, fills[0].r) = (fills[0].terms | uint256(1) << 48, bytes32(signature));
        vm.expectRevert(); // by the compiler's own bounds
        settle(fills);
        assertEq(balance(1, alice), 1e9 * UNIT);
    }

    function testFuzz_settle_advanceOfNoToken_reverts(uint256 index) public {
        ISettle.Advance[] memory advances = new ISettle.Advance[](1);
        advances[0] = ISettle.Advance(bound(index, 3, type(uint256).max), 0);
        ISettle.Fill[] memory fills = two();
        vm.expectRevert();
        settlement.settle(tokens, noPrices, fills, noSignatures, advances, "");
    }

    function test_settle_calldataCutShort_reverts() public {
        bytes memory whole_ =
            abi.encodeCall(settlement.settle, (tokens, noPrices, two(), noSignatures, noAdvances, ""));
        for (uint256 length = 4; length < whole_.length - 32; length += 97) {
            (bool success,) = address(settlement).call(cut(whole_, length));
            assertFalse(success);
        }
        (bool all,) = address(settlement).call(whole_);
        assertTrue(all);
    }

    /// @dev One bad order undoes the batch: who brings it simulates it first.
    function test_settle_oneBadOrder_changesNothing() public {
        ISettle.Fill[] memory fills = two();
        fills[1].vs ^= bytes32(uint256(1));
        vm.expectPartialRevert(ISettle.WrongSignature.selector);
        settle(fills);
        assertEq(balance(0, alice), 1e9 * UNIT);
        (uint256 seq, uint256 filled) = settlement.laneOf(alice, 0);
        assertEq(seq + filled, 0);
    }

    /// @dev UniswapX, 2023: a fee was taken on both sides. Here each order's own is taken once.
    function test_pair_feesOfBoth_areEachPaidOnceByTheOther() public {
        ISettle.Fill memory one = fillOf(orderOf(alice, 0, 1, UNIT, UNIT / 2), UNIT, UNIT - 1e15);
        ISettle.Fill memory other = fillOf(orderOf(bob, 1, 0, UNIT, UNIT / 2), UNIT, UNIT - 5e14);
        (one.fee, other.fee) = (1e15, 5e14);
        vm.prank(matcher);
        settlement.pair(one, other, tokens[0], tokens[1], noSignatures);
        assertEq(balance(0, matcher), 5e14);
        assertEq(balance(1, matcher), 1e15);
        assertEq(balance(0, alice) + balance(1, alice), 2e9 * UNIT - 1e15);
        assertEq(balance(0, bob) + balance(1, bob), 2e9 * UNIT - 5e14);
    }

    /// @dev Opyn, 2020: value counted once for each turn of a loop. Here none is taken.
    function test_settle_ether_isRefused() public {
        vm.deal(address(this), 2);
        bytes memory call_ =
            abi.encodeCall(settlement.settle, (tokens, noPrices, two(), noSignatures, noAdvances, ""));
        (bool success,) = address(settlement).call{value: 1}(call_);
        assertFalse(success);
        (success,) = address(settlement).call{value: 1}("");
        assertFalse(success);
    }

    /// @dev GMX, 2025: whatever is called in the middle finds every way in locked.
    function test_takeAndPair_tokenReenters_findsEveryWayLocked() public {
        HookToken hook = new HookToken();
        tokens[2] = address(hook);
        fund(matcher);
        hook.mint(alice, 10 * UNIT);
        vm.prank(alice);
        hook.approve(address(settlement), 10 * UNIT);
        ISettle.Fill memory fill = whole(orderOf(alice, 2, 0, UNIT, UNIT));
        bytes[4] memory ways = [
            abi.encodeCall(
                settlement.settle, (tokens, noPrices, new ISettle.Fill[](0), noSignatures, noAdvances, "")
            ),
            abi.encodeCall(settlement.take, (fill, tokens[2], tokens[0])),
            abi.encodeCall(settlement.takeFromContract, (fill, tokens[2], tokens[0], noSignatures)),
            abi.encodeCall(settlement.pair, (fill, fill, tokens[2], tokens[0], noSignatures))
        ];
        for (uint32 i = 0; i < 8; ++i) {
            hook.setHook(address(settlement), ways[i % 4]);
            ISettle.Order memory order = orderOf(alice, 2, 0, UNIT, UNIT);
            order.seq = i + 2;
            if (i < 4) {
                fill = whole(order);
                vm.prank(matcher);
                settlement.take(fill, tokens[2], tokens[0]);
            } else {
                ISettle.Order memory other = orderOf(bob, 0, 2, UNIT, UNIT);
                other.seq = i;
                settlement.pair(whole(order), whole(other), tokens[2], tokens[0], noSignatures);
            }
            assertEq(hook.answer(), abi.encodeWithSelector(ISettle.Reentered.selector));
        }
    }

    /// @dev A token may answer nothing, or a whole word that says true: not less, and not false, whichever way it
    /// is moved.
    function test_settle_tokenAnswersLittleOrFalse_reverts() public {
        address[] memory plain = tokens;
        for (uint256 i = 0; i < 4; ++i) {
            tokens = plain;
            SlyToken sly = new SlyToken(i % 2 == 0 ? bytes(hex"00") : abi.encode(false), i < 2);
            tokens[2] = address(sly);
            for (uint256 k = 2; k > 0 && tokens[k] < tokens[k - 1]; --k) {
                (tokens[k], tokens[k - 1]) = (tokens[k - 1], tokens[k]);
            }
            sly.mint(alice, 2 * UNIT);
            sly.mint(bob, 1); // the word that a short answer is written over is 1 then, which is true
            uint256 index = indexOf(address(sly));
            ISettle.Order memory order = orderOf(bob, index == 0 ? 1 : 0, index, UNIT, UNIT);
            order.seq = uint32(i + 1);
            ISettle.Order memory other = orderOf(alice, index, index == 0 ? 1 : 0, UNIT, UNIT);
            other.seq = uint32(i + 1);
            ISettle.Fill[] memory fills = new ISettle.Fill[](2);
            (fills[0], fills[1]) = (whole(order), whole(other));
            vm.expectPartialRevert(ISettle.TokenCallFailed.selector);
            settle(fills);
        }
    }

    /// @dev A token that is no contract answers no balance either.
    function test_settle_tokenWithoutCode_reverts() public {
        address[] memory list = new address[](1);
        list[0] = makeAddr("no token");
        vm.expectRevert(
            abi.encodeWithSelector(ISettle.TokenCallFailed.selector, list[0], bytes4(0x70a08231), "")
        );
        settlement.settle(list, noPrices, new ISettle.Fill[](0), noSignatures, noAdvances, "");
    }

    function two() private view returns (ISettle.Fill[] memory fills) {
        fills = new ISettle.Fill[](2);
        fills[0] = whole(orderOf(alice, 0, 1, UNIT, UNIT));
        fills[1] = whole(orderOf(bob, 1, 0, UNIT, UNIT));
    }

    function cut(bytes memory data, uint256 length) private pure returns (bytes memory shorter) {
        shorter = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            shorter[i] = data[i];
        }
    }
}

/// @title A token that moves what it is told to, and answers one of the two ways of moving it strangely
contract SlyToken {
    mapping(address account => uint256) public balanceOf;
    bytes private answer;
    bool private immutable WHEN_PULLED;

    constructor(bytes memory answer_, bool whenPulled) {
        (answer, WHEN_PULLED) = (answer_, whenPulled);
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external {
        move(msg.sender, to, amount, !WHEN_PULLED);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        move(from, to, amount, WHEN_PULLED);
    }

    function move(address from, address to, uint256 amount, bool strangely) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        bytes memory data = strangely ? answer : abi.encode(true);
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}
