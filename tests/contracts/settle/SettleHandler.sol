// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Orders} from "./Orders.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {Vm} from "forge-std/Vm.sol";

/// @title Random rings of three orders, every other with one thing wrong, and books of what must come of it
/// @dev Owner k sells token k % 3 for the next one. The books are kept from what was signed and sent; the
/// contract is never asked for them.
contract SettleHandler {
    /// @dev What stands on a lane: the order that was filled last and how far.
    struct Book {
        ISettle.Order order;
        uint256 seq;
        uint256 filled;
    }

    enum Fault {
        NONE,
        ANOTHERS_KEY,
        BELOW_THE_LIMIT,
        BEYOND_THE_SIZE,
        EXPIRED,
        UNBALANCED,
        PASSED_SEQ,
        FEE_TOO_HIGH,
        PART_OF_ALL
    }

    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint16 private constant MAX_FEE_BPS = 100;

    ISettle private immutable SETTLEMENT;
    address[] private tokens;
    address[] public owners;
    uint256[] private keys;
    mapping(uint256 owner => mapping(uint256 token => int256)) public moved;
    mapping(uint256 owner => mapping(uint32 lane => Book)) private books;
    uint256 public accepted;
    uint256 public rejected;
    /// @notice Words of storage that the contract has ever written, and lanes that were ever filled or cancelled.
    uint256 public words;
    uint256 public lanes;
    mapping(bytes32 slot => bool) private isWritten;
    mapping(uint256 ownerLane => bool) private isUsed;
    /// @notice Batches that the contract took though a rule was broken, or refused though none was.
    uint256 public misjudged;

    constructor(
        ISettle settlement,
        address[] memory tokens_,
        address[] memory owners_,
        uint256[] memory keys_
    ) {
        SETTLEMENT = settlement;
        (tokens, owners, keys) = (tokens_, owners_, keys_);
    }

    function bookOf(uint256 owner, uint32 lane) external view returns (uint256 seq, uint256 filled) {
        Book storage book = books[owner][lane];
        return (book.seq, book.filled);
    }

    function cancel(uint256 owner, uint32 lane, uint32 ahead) external {
        (owner, lane) = (owner % owners.length, lane % 3);
        Book storage book = books[owner][lane];
        uint256 last = book.seq + ahead % 2;
        VM.record();
        VM.prank(owners[owner]);
        SETTLEMENT.cancel((uint64(lane) << 32) | uint32(last));
        countWords();
        use(owner, lane);
        (book.seq, book.filled) = (last + 1, 0);
        delete book.order;
    }

    function settle(uint256 seed) external {
        Fault fault = (accepted + rejected) % 2 == 0 ? Fault.NONE : Fault(1 + next(seed, 1) % 8);
        uint256 amount = 1000 + next(seed, 2) % 1e18;
        uint256 victim = next(seed, 3) % 3;
        uint256[3] memory who;
        ISettle.Order[3] memory orders;
        ISettle.Fill[] memory fills = new ISettle.Fill[](3);
        for (uint256 i = 0; i < 3; ++i) {
            who[i] = i + 3 * (next(seed, 4 + i) % 2);
            orders[i] = choose(who[i], amount, next(seed, 7 + i));
            Fault wrong = i == victim ? fault : Fault.NONE;
            fills[i] = make(orders[i], who[i], amount, next(seed, 10 + i), wrong);
        }
        VM.record();
        try SETTLEMENT.settle(tokens, new uint128[](0), fills, new bytes[](0), new ISettle.Advance[](0), "") {
            ++accepted;
            if (fault != Fault.NONE) ++misjudged;
            countWords();
            for (uint256 i = 0; i < 3; ++i) {
                enter(who[i], orders[i], fills[i]);
            }
        } catch {
            ++rejected;
            if (fault == Fault.NONE) ++misjudged;
        }
    }

    /// @dev The order that stands on one of the owner's lanes if it has room, or a new one after it.
    function choose(uint256 owner, uint256 amount, uint256 seed)
        private
        view
        returns (ISettle.Order memory order)
    {
        uint32 lane = uint32(seed % 3);
        Book storage book = books[owner][lane];
        order = book.order;
        bool exactOut = order.flags & Orders.EXACT_OUT != 0;
        uint256 size = exactOut ? order.amountOut : order.amountIn;
        if (order.owner != address(0) && book.filled + amount <= size && seed >> 8 & 1 == 0) return order;
        size = amount + (seed >> 16) % (3 * amount);
        order = ISettle.Order({
            owner: owners[owner],
            receiver: seed >> 9 & 1 == 0 ? address(0) : owners[owner],
            tokenIn: tokens[owner % 3],
            tokenOut: tokens[(owner + 1) % 3],
            amountIn: uint128(size),
            amountOut: uint128(size - size / 50), // room for a fee of two per cent at the price of one
            deadline: uint32(block.timestamp),
            lane: lane,
            seq: uint32(book.seq + (book.filled == 0 ? seed >> 10 & 1 : 1)),
            maxFeeBps: MAX_FEE_BPS,
            matcher: seed >> 11 & 1 == 0 ? address(0) : address(this),
            flags: seed >> 12 & 1 == 0 ? 0 : Orders.EXACT_OUT
        });
        // an exact output is filled by `amount` less the fee: it has room for as much
        if (order.flags != 0) (order.amountIn, order.amountOut) = (uint128(size + size / 49), uint128(size));
    }

    /// @dev Breaks what is to be broken, before it is signed.
    function make(ISettle.Order memory order, uint256 owner, uint256 amount, uint256 seed, Fault fault)
        private
        view
        returns (ISettle.Fill memory fill)
    {
        uint256 fee = seed % (amount / 100 + 1); // of the signed hundred basis points
        if (fault == Fault.FEE_TOO_HIGH) fee = amount / 100 + 1;
        uint256 amountOut = amount - fee + (fault == Fault.UNBALANCED ? 1 : 0);
        order = breakTerms(order, amount, amountOut, fault, books[owner][order.lane]);
        fill = Orders.pack(order, tokens, amount, amountOut);
        fill.fee = fee;
        uint256 key = keys[fault == Fault.ANOTHERS_KEY ? (owner + 1) % keys.length : owner];
        (fill.r, fill.vs) = VM.signCompact(key, SETTLEMENT.hashOrder(order));
    }

    function breakTerms(
        ISettle.Order memory order,
        uint256 amount,
        uint256 amountOut,
        Fault fault,
        Book storage book
    ) private view returns (ISettle.Order memory broken) {
        broken = abi.decode(abi.encode(order), (ISettle.Order));
        bool exactOut = order.flags & Orders.EXACT_OUT != 0;
        uint256 done = order.seq == book.seq ? book.filled : 0;
        if (fault == Fault.EXPIRED) {
            broken.deadline = uint32(block.timestamp - 1);
        } else if (fault == Fault.BELOW_THE_LIMIT) {
            broken.amountOut = uint128(amountOut * order.amountIn / amount + 1);
        } else if (fault == Fault.BEYOND_THE_SIZE) {
            // both sides, so that the price stays
            broken.amountIn = uint128(done + (exactOut ? amount * 2 : amount - 1));
            broken.amountOut = uint128(exactOut ? done + amountOut - 1 : 1);
        } else if (fault == Fault.PASSED_SEQ) {
            if (book.seq == 0) broken.deadline = 0; // nothing has passed yet
            else broken.seq = uint32(book.seq - 1);
        } else if (fault == Fault.PART_OF_ALL) {
            broken.flags |= Orders.FILL_OR_KILL;
            if (exactOut) broken.amountOut = uint128(done + amountOut + 1);
            else broken.amountIn = uint128(done + amount + 1);
        }
    }

    function enter(uint256 owner, ISettle.Order memory order, ISettle.Fill memory fill) private {
        (uint256 amountIn, uint256 amountOut) = (fill.amounts >> 128, uint128(fill.amounts));
        use(owner, order.lane);
        Book storage book = books[owner][order.lane];
        uint256 done = order.seq == book.seq ? book.filled : 0;
        book.order = order;
        book.seq = order.seq;
        book.filled = done + (order.flags & Orders.EXACT_OUT != 0 ? amountOut : amountIn);
        moved[owner][owner % 3] -= int256(amountIn);
        moved[owner][(owner + 1) % 3] += int256(amountOut);
    }

    function countWords() private {
        (, bytes32[] memory slots) = VM.accesses(address(SETTLEMENT));
        for (uint256 i = 0; i < slots.length; ++i) {
            if (!isWritten[slots[i]]) ++words;
            isWritten[slots[i]] = true;
        }
    }

    function use(uint256 owner, uint32 lane) private {
        if (!isUsed[(owner << 32) | lane]) ++lanes;
        isUsed[(owner << 32) | lane] = true;
    }

    function next(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
