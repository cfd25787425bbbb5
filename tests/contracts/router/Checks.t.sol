// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RouterTest} from "./RouterTest.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";

/// @title A lender that answers as Aave's pool does: the health factor is the last of six words
contract Lender {
    uint256 public healthFactorWad;
    int256 public position;

    function set(uint256 healthFactorWad_, int256 position_) external {
        (healthFactorWad, position) = (healthFactorWad_, position_);
    }

    function getUserAccountData(address)
        external
        view
        returns (uint256, uint256, uint256, uint256, uint256, uint256)
    {
        return (1, 2, 3, 4, 5, healthFactorWad);
    }

    function change() external {
        position = 0;
    }

    /// @dev What it reverts with is as long as an answer, and large.
    function refuse() external pure {
        assembly {
            mstore(0, not(0))
            revert(0, 32)
        }
    }
}

/// @title What a swap must leave behind
contract ChecksTest is RouterTest {
    uint256 private constant AMOUNT = 1e18;

    Lender private lender = new Lender();

    function testFuzz_swap_healthFactor_isHeldToItsBound(uint256 found, uint256 bound) public {
        lender.set(found, 0);
        bytes memory data = abi.encodeCall(lender.getUserAccountData, (trader));
        IRouter.Check memory check =
            IRouter.Check(address(lender), data, 5, IRouter.Comparison.AT_LEAST, bound);
        if (found < bound) expectFailure(found, bound);
        swapWith(check);
    }

    function testFuzz_swap_anyComparison_isTheOneNamed(uint8 comparisonSeed, int256 found, int256 bound)
        public
    {
        lender.set(0, found);
        IRouter.Comparison comparison = IRouter.Comparison(comparisonSeed % 5);
        bool[5] memory holds = [
            uint256(found) >= uint256(bound),
            uint256(found) <= uint256(bound),
            found == bound,
            found >= bound,
            found <= bound
        ];
        if (!holds[uint256(comparison)]) expectFailure(uint256(found), uint256(bound));
        bytes memory data = abi.encodeCall(lender.position, ());
        swapWith(IRouter.Check(address(lender), data, 0, comparison, uint256(bound)));
    }

    function test_swap_checkOfTheSwapsOwnEffect_seesTheStateAfterIt() public {
        uint256 quoted = quote(IRouter.Venue.UNISWAP_V3, 0, true, AMOUNT, false);
        bytes memory data = abi.encodeCall(b.balanceOf, (recipient));
        swapWith(IRouter.Check(address(b), data, 0, IRouter.Comparison.EQUAL, quoted));
    }

    function test_swap_secondCheckFails_namesItsIndex() public {
        IRouter.Check[] memory checks = new IRouter.Check[](2);
        bytes memory data = abi.encodeCall(lender.healthFactorWad, ());
        checks[0] = IRouter.Check(address(lender), data, 0, IRouter.Comparison.EQUAL, 0);
        checks[1] = IRouter.Check(address(lender), data, 0, IRouter.Comparison.AT_LEAST, 1e18);
        vm.expectRevert(abi.encodeWithSelector(IRouter.CheckFailed.selector, 1, 0, 1e18));
        swapWith(checks);
    }

    function testFuzz_swap_wordBeyondTheAnswer_reverts(uint256 word) public {
        word = bound(word, 6, type(uint256).max);
        bytes memory data = abi.encodeCall(lender.getUserAccountData, (trader));
        vm.expectRevert(
            abi.encodeWithSelector(IRouter.CheckUnanswered.selector, 0, abi.encode(1, 2, 3, 4, 5, 0))
        );
        swapWith(IRouter.Check(address(lender), data, word, IRouter.Comparison.AT_LEAST, 0));
    }

    function test_swap_checkThatChangesState_reverts() public {
        bytes memory data = abi.encodeCall(lender.change, ());
        vm.expectRevert(abi.encodeWithSelector(IRouter.CheckUnanswered.selector, 0, ""));
        swapWith(IRouter.Check(address(lender), data, 0, IRouter.Comparison.AT_LEAST, 0));
    }

    function test_swap_checkThatReverts_isNotAnsweredByItsReason() public {
        bytes memory data = abi.encodeCall(lender.refuse, ());
        vm.expectRevert(
            abi.encodeWithSelector(IRouter.CheckUnanswered.selector, 0, abi.encode(type(uint256).max))
        );
        swapWith(IRouter.Check(address(lender), data, 0, IRouter.Comparison.AT_LEAST, 1));
    }

    function test_swap_checkOfNoContract_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IRouter.CheckUnanswered.selector, 0, ""));
        swapWith(IRouter.Check(makeAddr("nobody"), "", 0, IRouter.Comparison.AT_LEAST, 0));
    }

    function expectFailure(uint256 found, uint256 bound) private {
        vm.expectRevert(abi.encodeWithSelector(IRouter.CheckFailed.selector, 0, found, bound));
    }

    function swapWith(IRouter.Check memory check) private {
        IRouter.Check[] memory checks = new IRouter.Check[](1);
        checks[0] = check;
        swapWith(checks);
    }

    function swapWith(IRouter.Check[] memory checks) private {
        IRouter.Hop[] memory hops = single(IRouter.Venue.UNISWAP_V3, AMOUNT);
        vm.prank(trader);
        router.swap(termsOf(hops, AMOUNT, 1), hops, checks);
    }
}
