// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettle} from "contracts/interfaces/ISettle.sol";
import {Fills} from "contracts/libraries/settle/Fills.sol";
import {Test} from "forge-std/Test.sol";

/// @title What is packed into the words of a fill is what comes out of them, for every order that there is
/// @dev Fuzzed by forge, and proven by halmos (`make deep`).
contract FillsProofs is Test {
    using Fills for ISettle.Fill;

    struct Terms {
        address receiver;
        uint16 maxFeeBps;
        uint8 flags;
        uint8 tokenIn;
        uint8 tokenOut;
        uint8 scheme;
        bool exclusive;
    }

    function readWho(ISettle.Fill calldata fill) external pure returns (address, uint32, uint32, uint32) {
        return (fill.owner(), fill.deadline(), fill.lane(), fill.seq());
    }

    function readTerms(ISettle.Fill calldata fill) external view returns (Terms memory) {
        return Terms({
            receiver: fill.signedReceiver(),
            maxFeeBps: fill.maxFeeBps(),
            flags: fill.flags(),
            tokenIn: uint8(fill.tokenIn()),
            tokenOut: uint8(fill.tokenOut()),
            scheme: uint8(fill.scheme()),
            exclusive: fill.matcher() == address(this)
        });
    }

    function readAmounts(ISettle.Fill calldata fill) external pure returns (uint256, uint256) {
        return (fill.amountIn(), fill.amountOut());
    }

    function hashFill(ISettle.Fill calldata fill, address sells, address buys)
        external
        view
        returns (bytes32)
    {
        return fill.hash(sells, buys);
    }

    function hashOrder(ISettle.Order calldata order) external pure returns (bytes32) {
        return Fills.hash(order);
    }

    /// @dev I12.
    function testFuzz_who_isWhatWasPacked(address owner, uint32 deadline, uint32 lane, uint32 seq)
        public
        view
    {
        ISettle.Fill memory fill;
        fill.who = (uint256(uint160(owner)) << 96) | (uint256(deadline) << 64) | (uint256(lane) << 32) | seq;
        (address owner_, uint32 deadline_, uint32 lane_, uint32 seq_) = this.readWho(fill);
        assertEq(owner_, owner);
        assertEq(deadline_, deadline);
        assertEq(lane_, lane);
        assertEq(seq_, seq);
    }

    /// @dev I12.
    function testFuzz_terms_areWhatWasPacked(Terms memory terms) public view {
        terms.scheme %= 3;
        ISettle.Fill memory fill;
        fill.terms = (uint256(uint160(terms.receiver)) << 96) | (uint256(terms.maxFeeBps) << 80)
            | (uint256(terms.flags) << 72) | (uint256(terms.tokenIn) << 64) | (uint256(terms.tokenOut) << 56)
            | (uint256(terms.scheme) << 48) | (terms.exclusive ? 1 << 40 : 0);
        Terms memory read = this.readTerms(fill);
        assertEq(read.receiver, terms.receiver);
        assertEq(read.maxFeeBps, terms.maxFeeBps);
        assertEq(read.flags, terms.flags);
        assertEq(read.tokenIn, terms.tokenIn);
        assertEq(read.tokenOut, terms.tokenOut);
        assertEq(read.scheme, terms.scheme);
        assertEq(read.exclusive, terms.exclusive);
    }

    /// @dev I12.
    function testFuzz_amounts_areWhatWasPacked(uint128 amountIn, uint128 amountOut) public view {
        ISettle.Fill memory fill;
        fill.amounts = (uint256(amountIn) << 128) | amountOut;
        (uint256 amountIn_, uint256 amountOut_) = this.readAmounts(fill);
        assertEq(amountIn_, amountIn);
        assertEq(amountOut_, amountOut);
    }

    /// @dev I11: the digest in assembly is that of the order as Solidity encodes it; no term is left out.
    function testFuzz_hash_ofTheWordsIsThatOfTheOrder(ISettle.Order memory order, bool exclusive)
        public
        view
    {
        order.matcher = exclusive ? address(this) : address(0);
        ISettle.Fill memory fill;
        fill.who = (uint256(uint160(order.owner)) << 96) | (uint256(order.deadline) << 64)
            | (uint256(order.lane) << 32) | order.seq;
        fill.terms = (uint256(uint160(order.receiver)) << 96) | (uint256(order.maxFeeBps) << 80)
            | (uint256(order.flags) << 72) | (exclusive ? 1 << 40 : 0);
        fill.limits = (uint256(order.amountIn) << 128) | order.amountOut;
        assertEq(this.hashFill(fill, order.tokenIn, order.tokenOut), this.hashOrder(order));
    }
}
