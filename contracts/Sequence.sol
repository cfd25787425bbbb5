// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISequence} from "./interfaces/ISequence.sol";

contract Sequence is ISequence {
    /// @dev The account it stands in for takes the native coin.
    receive() external payable {}

    /// @inheritdoc ISequence
    function run(Step[] calldata steps) external payable returns (Result[] memory results) {
        if (msg.sender != address(this)) revert NotTheAccount(msg.sender);
        results = new Result[](steps.length);
        for (uint256 i = 0; i < steps.length; ++i) {
            Step calldata step = steps[i];
            uint256 before = gasleft();
            (bool success, bytes memory data) = step.to.call{value: step.value, gas: step.gasLimit}(step.data);
            results[i] = Result(success, before - gasleft(), data);
        }
    }
}
