// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shipped} from "../Shipped.sol";
import {IGuard} from "contracts/interfaces/IGuard.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {Vm} from "forge-std/Vm.sol";

/// @title A venue that remembers who called it with what, and tells one number of each caller
contract Venue {
    error Refused(uint256 amount);

    event Set(uint256 amount);

    mapping(address => uint256) public health;
    address public caller;
    uint256 public received;

    function set(uint256 amount) external payable {
        if (amount == 0) revert Refused(amount);
        (health[msg.sender], caller, received) = (amount, msg.sender, msg.value);
        emit Set(amount);
    }
}

/// @title Calls of an account by itself, and what they must leave
contract GuardTest is Shipped {
    uint256 private constant KEY = 0xa11ce;

    IGuard private guard = IGuard(deployShipped("Guard"));
    Venue private venue = new Venue();
    address private trader = vm.addr(KEY);

    /// @dev What EIP-7702 does: the account's address runs the guard's code.
    function setUp() public {
        vm.etch(trader, address(guard).code);
    }

    function testFuzz_perform_condition_isHeldToItsBound(uint128 health, uint256 bound, uint96 value) public {
        vm.assume(health != 0);
        vm.deal(trader, value);
        if (health < bound) {
            vm.expectRevert(abi.encodeWithSelector(IRouter.CheckFailed.selector, 0, health, bound));
        }
        perform(health, bound, value);
        if (health < bound) {
            assertEq(venue.caller(), address(0));
        } else {
            assertEq(venue.caller(), trader);
            assertEq(venue.received(), value);
        }
    }

    function test_perform_callThatReverts_passesItsReasonOn() public {
        vm.expectRevert(abi.encodeWithSelector(Venue.Refused.selector, 0));
        perform(0, 0, 0);
    }

    function testFuzz_perform_marksTheEndOfEachCall(uint256 count) public {
        count = bound(count, 1, 5);
        IGuard.Step[] memory steps = new IGuard.Step[](count);
        for (uint256 i = 0; i < count; ++i) {
            steps[i] = IGuard.Step(address(venue), 0, abi.encodeCall(Venue.set, (i + 1)));
        }
        vm.recordLogs();
        vm.prank(trader);
        IGuard(trader).perform(steps, new IRouter.Check[](0), block.timestamp);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2 * count);
        for (uint256 i = 0; i < count; ++i) {
            assertEq(abi.decode(logs[2 * i].data, (uint256)), i + 1);
            assertEq(logs[2 * i + 1].emitter, trader);
            assertEq(logs[2 * i + 1].topics.length, 1);
            assertEq(logs[2 * i + 1].topics[0], IGuard.Performed.selector);
            assertEq(logs[2 * i + 1].data, "");
        }
    }

    function testFuzz_perform_byAnotherThanTheAccount_reverts(address caller) public {
        IGuard.Step[] memory steps = new IGuard.Step[](0);
        IRouter.Check[] memory checks = new IRouter.Check[](0);
        vm.assume(caller != trader && caller != address(guard));
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(IGuard.NotTheAccount.selector, caller));
        IGuard(trader).perform(steps, checks, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IGuard.NotTheAccount.selector, caller));
        guard.perform(steps, checks, block.timestamp);
    }

    function testFuzz_perform_afterTheDeadline_reverts(uint64 deadline, uint64 late) public {
        vm.warp(uint256(deadline) + late);
        if (late != 0) {
            vm.expectRevert(
                abi.encodeWithSelector(IRouter.DeadlinePassed.selector, deadline, block.timestamp)
            );
        }
        vm.prank(trader);
        IGuard(trader).perform(new IGuard.Step[](0), new IRouter.Check[](0), deadline);
    }

    function testFuzz_check_byAnyone_revertsUnlessItHolds(uint256 bound) public {
        vm.prank(trader);
        venue.set(5);
        if (bound > 5) vm.expectRevert(abi.encodeWithSelector(IRouter.CheckFailed.selector, 0, 5, bound));
        guard.check(makeChecks(bound));
    }

    function testFuzz_isValidSignature_ofTheAccountsKeyAlone(bytes32 hash, uint256 seed) public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, hash);
        bytes memory own = abi.encodePacked(r, s, v);
        assertEq(IGuard(trader).isValidSignature(hash, own), IGuard.isValidSignature.selector);
        assertEq(IGuard(trader).isValidSignature(~hash, own), bytes4(0xffffffff));
        assertEq(IGuard(trader).isValidSignature(hash, abi.encodePacked(r, s)), bytes4(0xffffffff));
        assertEq(guard.isValidSignature(hash, own), bytes4(0xffffffff));
        (v, r, s) = vm.sign(bound(seed, 1, KEY - 1), hash);
        assertEq(IGuard(trader).isValidSignature(hash, abi.encodePacked(r, s, v)), bytes4(0xffffffff));
    }

    function test_receive_byTheAccount_isTaken_byTheGuardItself_isRefused() public {
        vm.deal(address(this), 2);
        (bool taken,) = trader.call{value: 1}("");
        assertTrue(taken);
        (bool accepted, bytes memory answer) = address(guard).call{value: 1}("");
        assertFalse(accepted);
        assertEq(answer, abi.encodeWithSelector(IGuard.NotAnAccount.selector));
    }

    function test_tokensWithCallbacks_areTaken() public view {
        uint256[] memory none = new uint256[](0);
        IGuard account = IGuard(trader);
        assertEq(account.onERC721Received(trader, trader, 0, ""), IGuard.onERC721Received.selector);
        assertEq(account.onERC1155Received(trader, trader, 0, 0, ""), IGuard.onERC1155Received.selector);
        assertEq(
            account.onERC1155BatchReceived(trader, trader, none, none, ""),
            IGuard.onERC1155BatchReceived.selector
        );
    }

    function perform(uint256 health, uint256 bound, uint256 value) private {
        IGuard.Step[] memory steps = new IGuard.Step[](1);
        steps[0] = IGuard.Step(address(venue), value, abi.encodeCall(Venue.set, (health)));
        vm.prank(trader);
        IGuard(trader).perform(steps, makeChecks(bound), block.timestamp);
    }

    function makeChecks(uint256 bound) private view returns (IRouter.Check[] memory checks) {
        checks = new IRouter.Check[](1);
        bytes memory data = abi.encodeCall(venue.health, (trader));
        checks[0] = IRouter.Check(address(venue), data, 0, IRouter.Comparison.AT_LEAST, bound);
    }
}
