// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IGuard} from "./interfaces/IGuard.sol";
import {IRouter} from "./interfaces/IRouter.sol";
import {Checks} from "./libraries/router/Checks.sol";

contract Guard is IGuard {
    uint256 private constant SIGNATURE_LENGTH = 65;

    address private immutable SELF = address(this);

    /// @dev The account it stands in for takes the native coin.
    receive() external payable {
        if (address(this) == SELF) revert NotAnAccount();
    }

    /// @inheritdoc IGuard
    function perform(Step[] calldata steps, IRouter.Check[] calldata checks, uint256 deadline)
        external
        payable
    {
        if (msg.sender != address(this)) revert NotTheAccount(msg.sender);
        if (block.timestamp > deadline) revert IRouter.DeadlinePassed(deadline, block.timestamp);
        for (uint256 i = 0; i < steps.length; ++i) {
            Step calldata step = steps[i];
            (bool success, bytes memory reason) = step.to.call{value: step.value}(step.data);
            if (!success) passOn(reason);
            emit Performed();
        }
        Checks.run(checks);
    }

    /// @inheritdoc IGuard
    function check(IRouter.Check[] calldata checks) external view {
        Checks.run(checks);
    }

    /// @inheritdoc IGuard
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != SIGNATURE_LENGTH) return 0xffffffff;
        (bytes32 r, bytes32 s) = (bytes32(signature[:32]), bytes32(signature[32:64]));
        address signer = ecrecover(hash, uint8(signature[64]), r, s);
        return signer == address(this) ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @inheritdoc IGuard
    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }

    /// @inheritdoc IGuard
    function onERC1155Received(address, address, uint256, uint256, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155Received.selector;
    }

    /// @inheritdoc IGuard
    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }

    function passOn(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
