// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

interface IERC1271 {
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4);
}

/// @title Whether an account stands for a digest
library Signatures {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice By its key: EIP-2098, with s in the lower half (EIP-2).
    function isByKey(address owner, bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (bool) {
        uint256 s = uint256(vs) & type(uint256).max >> 1;
        if (s > HALF_ORDER) return false;
        address signer = ecrecover(digest, uint8(27 + (uint256(vs) >> 255)), r, bytes32(s));
        return signer != address(0) && signer == owner;
    }

    /// @notice By its code: ERC-1271. An account without code stands for nothing.
    function isByCode(address owner, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (owner.code.length == 0) return false;
        (bool success, bytes memory answer) =
            owner.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
        return
            success && answer.length >= 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }
}
