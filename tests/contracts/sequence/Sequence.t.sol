// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shipped} from "../Shipped.sol";
import {ISequence} from "contracts/interfaces/ISequence.sol";
import {Refund} from "contracts/mocks/traps/Refund.sol";
import {Swallow} from "contracts/mocks/traps/Swallow.sol";

/// @notice Keeps who called last, with what, and refuses when told to.
contract Witness {
    error Refused(uint256 number);

    address public caller;
    uint256 public value;
    uint256 public number;

    function note(uint256 number_) external payable returns (uint256) {
        (caller, value, number) = (msg.sender, msg.value, number_);
        return number_ + 1;
    }

    function refuse(uint256 number_) external pure {
        revert Refused(number_);
    }
}

/// @notice Pays what it is called with back into whatever `run` it finds at its caller's address.
contract Reentrant {
    bytes public refusal;

    fallback() external payable {
        ISequence.Step[] memory steps = new ISequence.Step[](1);
        steps[0] = ISequence.Step(address(this), msg.sender.balance, gasleft(), "");
        try ISequence(msg.sender).run(steps) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
    }
}

/// @title Steps lent to an account: in its name, in their order, each on its own
contract SequenceTest is Shipped {
    address private account = makeAddr("trader");
    Witness private witness = new Witness();

    function setUp() public {
        vm.etch(account, deployShipped("Sequence").code);
        vm.deal(account, 10 ether);
    }

    function testFuzz_run_callsInTheAccountsName(uint256 number, uint96 value) public {
        number = bound(number, 0, type(uint256).max - 1);
        vm.deal(account, value);
        ISequence.Result memory result =
            run(step(address(witness), value, abi.encodeCall(Witness.note, (number))))[0];
        assertTrue(result.success);
        assertEq(abi.decode(result.data, (uint256)), number + 1);
        assertEq(witness.caller(), account);
        assertEq(witness.value(), value);
        assertEq(witness.number(), number);
    }

    function testFuzz_run_goesOnAfterAStepThatReverts(uint256 number) public {
        ISequence.Step[] memory steps = new ISequence.Step[](3);
        steps[0] = step(address(witness), 0, abi.encodeCall(Witness.note, (1)));
        steps[1] = step(address(witness), 0, abi.encodeCall(Witness.refuse, (number)));
        steps[2] = step(address(witness), 0, abi.encodeCall(Witness.note, (3)));
        vm.prank(account);
        ISequence.Result[] memory results = ISequence(account).run(steps);
        assertTrue(results[0].success && results[2].success);
        assertFalse(results[1].success);
        assertEq(results[1].data, abi.encodeWithSelector(Witness.Refused.selector, number));
        assertEq(witness.number(), 3);
    }

    function test_run_givesEachStepItsGasAndNoMore() public {
        Swallow trap = new Swallow();
        ISequence.Step memory starved = step(address(trap), 0, abi.encodeCall(Swallow.run, (10_000)));
        starved.gasLimit = 3_000_000;
        ISequence.Result memory result = run(starved)[0];
        assertTrue(result.success);
        assertEq(trap.failures(), 1);
        assertLe(result.gasUsed, 3_000_000 + 3_000);
        starved.gasLimit = 8_000_000;
        run(starved);
        assertEq(trap.done(), 1);
    }

    function test_run_countsGasBeforeRefunds() public {
        Refund trap = new Refund();
        ISequence.Result memory result = run(step(address(trap), 0, abi.encodeCall(Refund.run, (10))))[0];
        assertTrue(result.success);
        assertGt(result.gasUsed, 10 * 5_000);
    }

    function testFuzz_run_byAnybodyElse_isRefused(address attacker) public {
        vm.assume(attacker != account);
        ISequence.Step[] memory steps = new ISequence.Step[](1);
        steps[0] = step(attacker, account.balance, "");
        vm.expectRevert(abi.encodeWithSelector(ISequence.NotTheAccount.selector, attacker));
        vm.prank(attacker);
        ISequence(account).run(steps);
        assertEq(account.balance, 10 ether);
    }

    function test_run_thatIsReentered_isRefusedToWhoeverIsCalled() public {
        Reentrant attacker = new Reentrant();
        ISequence.Result memory result = run(step(address(attacker), 1 ether, "x"))[0];
        assertTrue(result.success);
        assertEq(
            attacker.refusal(), abi.encodeWithSelector(ISequence.NotTheAccount.selector, address(attacker))
        );
        assertEq(account.balance, 9 ether);
    }

    function test_run_whereItStandsByItself_isRefusedToAll() public {
        ISequence deployed = ISequence(deployShipped("Sequence"));
        vm.deal(address(deployed), 1 ether);
        ISequence.Step[] memory steps = new ISequence.Step[](1);
        steps[0] = step(address(this), 1 ether, "");
        vm.expectRevert(abi.encodeWithSelector(ISequence.NotTheAccount.selector, address(this)));
        deployed.run(steps);
        assertEq(address(deployed).balance, 1 ether);
    }

    function test_receive_takesTheNativeCoin() public {
        vm.deal(address(this), 1 ether);
        (bool success,) = account.call{value: 1 ether}("");
        assertTrue(success);
        assertEq(account.balance, 11 ether);
    }

    function step(address to, uint256 value, bytes memory data) private pure returns (ISequence.Step memory) {
        return ISequence.Step(to, value, 5_000_000, data);
    }

    function run(ISequence.Step memory only) private returns (ISequence.Result[] memory) {
        ISequence.Step[] memory steps = new ISequence.Step[](1);
        steps[0] = only;
        vm.prank(account);
        return ISequence(account).run(steps);
    }
}
