// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettle} from "../../interfaces/ISettle.sol";

/// @title What stands in the seven words of a fill, and what its order demands of it
library Fills {
    uint256 internal constant BPS = 10_000;
    uint256 private constant EXACT_OUT = 1;
    uint256 private constant FILL_OR_KILL = 2;
    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "Order(address owner,address receiver,address tokenIn,address tokenOut,uint128 amountIn,uint128 amountOut,uint32 deadline,uint32 lane,uint32 seq,uint16 maxFeeBps,address matcher,uint8 flags)"
    );

    function owner(ISettle.Fill calldata fill) internal pure returns (address) {
        return address(uint160(fill.who >> 96));
    }

    function deadline(ISettle.Fill calldata fill) internal pure returns (uint32) {
        return uint32(fill.who >> 64);
    }

    function lane(ISettle.Fill calldata fill) internal pure returns (uint32) {
        return uint32(fill.who >> 32);
    }

    function seq(ISettle.Fill calldata fill) internal pure returns (uint32) {
        return uint32(fill.who);
    }

    /// @notice The receiver as it was signed: the zero address for the owner.
    function signedReceiver(ISettle.Fill calldata fill) internal pure returns (address) {
        return address(uint160(fill.terms >> 96));
    }

    function receiver(ISettle.Fill calldata fill) internal pure returns (address to) {
        to = signedReceiver(fill);
        if (to == address(0)) to = owner(fill);
    }

    function maxFeeBps(ISettle.Fill calldata fill) internal pure returns (uint16) {
        return uint16(fill.terms >> 80);
    }

    function flags(ISettle.Fill calldata fill) internal pure returns (uint8) {
        return uint8(fill.terms >> 72);
    }

    function tokenIn(ISettle.Fill calldata fill) internal pure returns (uint256 index) {
        return uint8(fill.terms >> 64);
    }

    function tokenOut(ISettle.Fill calldata fill) internal pure returns (uint256 index) {
        return uint8(fill.terms >> 56);
    }

    function scheme(ISettle.Fill calldata fill) internal pure returns (ISettle.Scheme) {
        return ISettle.Scheme(uint8(fill.terms >> 48));
    }

    /// @notice The matcher that the order must have named for the sender to bring it.
    function matcher(ISettle.Fill calldata fill) internal view returns (address) {
        return uint8(fill.terms >> 40) == 0 ? address(0) : msg.sender;
    }

    function amountIn(ISettle.Fill calldata fill) internal pure returns (uint256) {
        return fill.amounts >> 128;
    }

    function amountOut(ISettle.Fill calldata fill) internal pure returns (uint256) {
        return uint128(fill.amounts);
    }

    /// @notice What the fill counts in, and the whole of it: tokenOut for EXACT_OUT, else tokenIn.
    function measure(ISettle.Fill calldata fill) private pure returns (uint256 amount, uint256 size) {
        if (flags(fill) & EXACT_OUT != 0) return (amountOut(fill), uint128(fill.limits));
        return (amountIn(fill), fill.limits >> 128);
    }

    /// @notice Revert unless the order lets itself be filled this way, now; return what `measure` does.
    function requireAllowed(ISettle.Fill calldata fill) internal view returns (uint256 amount, uint256 size) {
        if (block.timestamp > deadline(fill)) {
            revert ISettle.DeadlinePassed(owner(fill), deadline(fill), block.timestamp);
        }
        (amount, size) = measure(fill);
        if (amount == 0) revert ISettle.NothingFilled(owner(fill));
        if (amount != size && flags(fill) & FILL_OR_KILL != 0) {
            revert ISettle.PartialFill(owner(fill), amount, size);
        }
        unchecked {
            // factors below 2^128
            (uint256 paid, uint256 got) = (amountIn(fill), amountOut(fill));
            if (got * (fill.limits >> 128) < uint256(uint128(fill.limits)) * paid) {
                revert ISettle.LimitBroken(owner(fill), paid, got);
            }
        }
        if (fill.fee != 0) requireFeeAllowed(fill);
    }

    /// @dev Checked: a fee may be any word.
    function requireFeeAllowed(ISettle.Fill calldata fill) private pure {
        if (fill.fee * BPS > (amountOut(fill) + fill.fee) * maxFeeBps(fill)) {
            revert ISettle.FeeTooHigh(owner(fill), fill.fee, maxFeeBps(fill));
        }
    }

    /// @notice Revert unless the fill is at the two prices: at least as good for the owner, and by less than
    /// one unit of either token.
    function requireUniform(ISettle.Fill calldata fill, uint256 priceIn, uint256 priceOut) internal pure {
        uint256 valueIn = amountIn(fill) * priceIn;
        uint256 valueOut = (amountOut(fill) + fill.fee) * priceOut;
        if (valueOut < valueIn || (valueOut - valueIn >= priceOut && valueOut - valueIn >= priceIn)) {
            revert ISettle.NotUniform(owner(fill), amountIn(fill), amountOut(fill));
        }
    }

    /// @notice The EIP-712 struct hash of the fill's order.
    /// @dev `keccak256(abi.encode(ORDER_TYPEHASH, owner, receiver, ...))` in memory that stays free.
    function hash(ISettle.Fill calldata fill, address sells, address buys)
        internal
        view
        returns (bytes32 digest)
    {
        (uint256 who, uint256 terms, uint256 limits) = (fill.who, fill.terms, fill.limits);
        address named = matcher(fill);
        bytes32 typehash = ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, typehash)
            mstore(add(data, 0x20), shr(96, who))
            mstore(add(data, 0x40), shr(96, terms))
            mstore(add(data, 0x60), sells)
            mstore(add(data, 0x80), buys)
            mstore(add(data, 0xa0), shr(128, limits))
            mstore(add(data, 0xc0), and(limits, 0xffffffffffffffffffffffffffffffff))
            mstore(add(data, 0xe0), and(shr(64, who), 0xffffffff))
            mstore(add(data, 0x100), and(shr(32, who), 0xffffffff))
            mstore(add(data, 0x120), and(who, 0xffffffff))
            mstore(add(data, 0x140), and(shr(80, terms), 0xffff))
            mstore(add(data, 0x160), named)
            mstore(add(data, 0x180), and(shr(72, terms), 0xff))
            digest := keccak256(data, 0x1a0)
        }
    }

    /// @notice The EIP-712 struct hash of an order.
    function hash(ISettle.Order calldata order) internal pure returns (bytes32) {
        return keccak256(abi.encode(ORDER_TYPEHASH, order));
    }
}
