// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISettle, ISettleCallback} from "./interfaces/ISettle.sol";
import {Fills} from "./libraries/settle/Fills.sol";
import {Lock} from "./libraries/settle/Lock.sol";
import {Money} from "./libraries/settle/Money.sol";
import {Signatures} from "./libraries/settle/Signatures.sol";
import {Lane} from "./types/Lane.sol";

contract Settle is ISettle {
    using Fills for ISettle.Fill;
    using Money for address;

    /// @dev A lane by reference, so that its place is hashed once for reading and writing.
    struct LaneSlot {
        Lane lane;
    }

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    uint256 private constant STOP_S = 14 days; // long enough to mend a matcher, too short to hold users

    address private immutable GUARDIAN;
    uint256 private immutable GUARDIAN_UNTIL;
    uint256 private immutable SUNSET_AT;
    uint256 private immutable CHAIN_ID;
    bytes32 private immutable DOMAIN;

    /// @inheritdoc ISettle
    uint256 public stoppedUntil;
    /// @inheritdoc ISettle
    mapping(address owner => mapping(uint32 lane => bytes32 digest)) public presigned;
    mapping(uint256 ownerLane => LaneSlot) private lanes;

    /// @param guardian Who may stop settlements until `guardianUntil`, unix seconds
    /// @param sunsetAt From when on nothing settles, unix seconds: allowances to it are then harmless
    constructor(address guardian, uint256 guardianUntil, uint256 sunsetAt) {
        GUARDIAN = guardian;
        GUARDIAN_UNTIL = guardianUntil;
        SUNSET_AT = sunsetAt;
        CHAIN_ID = block.chainid;
        DOMAIN = hashDomain();
    }

    modifier settling() {
        if (block.timestamp < stoppedUntil) revert SettlementStopped(stoppedUntil);
        if (block.timestamp >= SUNSET_AT) revert SunsetPassed(SUNSET_AT);
        Lock.close();
        _;
        Lock.open();
    }

    /// @inheritdoc ISettle
    function settle(
        address[] calldata tokens,
        uint128[] calldata prices,
        Fill[] calldata fills,
        bytes[] calldata signatures,
        Advance[] calldata advances,
        bytes calldata data
    ) external settling {
        uint256[] memory balances = countAll(tokens);
        uint256[] memory fees = acceptAll(tokens, prices, fills, signatures);
        for (uint256 i = 0; i < fills.length; ++i) {
            Fill calldata fill = fills[i];
            tokens[fill.tokenIn()].transferFrom(fill.owner(), address(this), fill.amountIn());
        }
        for (uint256 i = 0; i < advances.length; ++i) {
            tokens[advances[i].token].transfer(msg.sender, advances[i].amount);
        }
        if (data.length != 0) ISettleCallback(msg.sender).onSettle(tokens, data);
        for (uint256 i = 0; i < fills.length; ++i) {
            Fill calldata fill = fills[i];
            tokens[fill.tokenOut()].pay(fill.receiver(), fill.amountOut());
        }
        for (uint256 i = 0; i < tokens.length; ++i) {
            if (fees[i] != 0) tokens[i].transfer(msg.sender, fees[i]);
            uint256 balance = tokens[i].balanceOf(address(this));
            if (balance < balances[i]) revert Unbalanced(tokens[i], balance, balances[i]);
        }
    }

    /// @inheritdoc ISettle
    function pair(
        Fill calldata one,
        Fill calldata other,
        address tokenIn,
        address tokenOut,
        bytes[] calldata signatures
    ) external settling {
        if (one.amountIn() != other.amountOut() + other.fee || other.amountIn() != one.amountOut() + one.fee) revert NotAPair();
        accept(one, tokenIn, tokenOut, signatures);
        accept(other, tokenOut, tokenIn, signatures);
        payOther(tokenIn, one, other);
        payOther(tokenOut, other, one);
    }

    /// @inheritdoc ISettle
    function take(Fill calldata fill, address tokenIn, address tokenOut) external settling {
        bytes[] calldata none;
        assembly ("memory-safe") {
            none.offset := 0
            none.length := 0
        }
        takeFrom(fill, tokenIn, tokenOut, none);
    }

    /// @inheritdoc ISettle
    function takeFromContract(
        Fill calldata fill,
        address tokenIn,
        address tokenOut,
        bytes[] calldata signatures
    ) external settling {
        takeFrom(fill, tokenIn, tokenOut, signatures);
    }

    /// @inheritdoc ISettle
    function cancel(uint64 last) external {
        uint256 key = keyOf(msg.sender, uint32(last >> 32));
        LaneSlot storage slot = lanes[key];
        Lane next = slot.lane.cancel(uint32(last));
        slot.lane = next;
        emit Cancelled((key << 64) | next.seq());
    }

    /// @inheritdoc ISettle
    function presign(uint32 lane, bytes32 digest) external {
        presigned[msg.sender][lane] = digest;
        emit Presigned(msg.sender, lane, digest);
    }

    /// @inheritdoc ISettle
    function stop() external {
        if (msg.sender != GUARDIAN || block.timestamp >= GUARDIAN_UNTIL) revert NotGuardian(msg.sender);
        uint256 until = block.timestamp + STOP_S;
        stoppedUntil = until < GUARDIAN_UNTIL ? until : GUARDIAN_UNTIL;
        emit Stopped(stoppedUntil);
    }

    /// @inheritdoc ISettle
    function laneOf(address owner, uint32 lane) external view returns (uint256 seq, uint256 filled) {
        Lane found = lanes[keyOf(owner, lane)].lane;
        return (found.seq(), found.filled());
    }

    /// @inheritdoc ISettle
    function hashOrder(Order calldata order) external view returns (bytes32) {
        return toDigest(Fills.hash(order));
    }

    function standing(uint32 lane, Lane next) private pure returns (uint256) {
        return (uint256(lane) << 192) | Lane.unwrap(next);
    }

    function keyOf(address owner, uint32 lane) private pure returns (uint256 ownerLane) {
        return (uint256(uint160(owner)) << 32) | lane;
    }

    function countAll(address[] calldata tokens) private view returns (uint256[] memory balances) {
        balances = new uint256[](tokens.length);
        for (uint256 i = 0; i < tokens.length; ++i) {
            if (i != 0 && tokens[i] <= tokens[i - 1]) revert TokensUnsorted(i);
            balances[i] = tokens[i].balanceOf(address(this));
        }
    }

    function acceptAll(
        address[] calldata tokens,
        uint128[] calldata prices,
        Fill[] calldata fills,
        bytes[] calldata signatures
    ) private returns (uint256[] memory fees) {
        bool uniform = prices.length != 0;
        if (uniform && prices.length != tokens.length) revert PricesMissing(prices.length, tokens.length);
        fees = new uint256[](tokens.length);
        for (uint256 i = 0; i < fills.length; ++i) {
            Fill calldata fill = fills[i];
            accept(fill, tokens[fill.tokenIn()], tokens[fill.tokenOut()], signatures);
            if (uniform) fill.requireUniform(prices[fill.tokenIn()], prices[fill.tokenOut()]);
            if (fill.fee != 0) fees[fill.tokenOut()] += fill.fee;
        }
    }

    /// @dev All that an order demands, and its effect: after this, only tokens have to move.
    function accept(Fill calldata fill, address tokenIn, address tokenOut, bytes[] calldata signatures)
        private
    {
        (uint256 amount, uint256 size) = fill.requireAllowed();
        requireSigned(fill, toDigest(fill.hash(tokenIn, tokenOut)), signatures);
        (address owner, uint32 lane) = (fill.owner(), fill.lane());
        LaneSlot storage slot = lanes[keyOf(owner, lane)];
        Lane next = slot.lane.fill(fill.seq(), amount, size);
        slot.lane = next;
        emit Filled(owner, standing(lane, next), fill.amounts);
        if (fill.fee != 0) emit Charged(owner, standing(lane, next), fill.fee);
    }

    function requireSigned(Fill calldata fill, bytes32 digest, bytes[] calldata signatures) private view {
        address owner = fill.owner();
        Scheme scheme = fill.scheme();
        bool signed;
        if (scheme == Scheme.ECDSA) signed = Signatures.isByKey(owner, digest, fill.r, fill.vs);
        else if (scheme == Scheme.PRESIGN) signed = presigned[owner][fill.lane()] == digest;
        else signed = Signatures.isByCode(owner, digest, signatures[uint256(fill.r)]);
        if (!signed) revert WrongSignature(owner, digest);
    }

    function takeFrom(Fill calldata fill, address tokenIn, address tokenOut, bytes[] calldata signatures)
        private
    {
        if (fill.fee != 0) revert FeeFromTaker(fill.fee);
        accept(fill, tokenIn, tokenOut, signatures);
        tokenOut.move(msg.sender, fill.receiver(), fill.amountOut());
        tokenIn.transferFrom(fill.owner(), msg.sender, fill.amountIn());
    }

    /// @dev What `payer` sells goes to the receiver of `payee`, whose fee goes to the sender.
    function payOther(address token, Fill calldata payer, Fill calldata payee) private {
        token.move(payer.owner(), payee.receiver(), payee.amountOut());
        if (payee.fee != 0) token.transferFrom(payer.owner(), msg.sender, payee.fee);
    }

    /// @dev `keccak256(abi.encodePacked(hex"1901", domain, structHash))` in memory that stays free.
    function toDigest(bytes32 structHash) private view returns (bytes32 digest) {
        bytes32 domain = block.chainid == CHAIN_ID ? DOMAIN : hashDomain();
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, hex"1901")
            mstore(add(data, 2), domain)
            mstore(add(data, 34), structHash)
            digest := keccak256(data, 66)
        }
    }

    function hashDomain() private view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("Settle"), keccak256("1"), block.chainid, address(this))
        );
    }
}
