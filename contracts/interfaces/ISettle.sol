// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Settles signed spot orders straight from the owners' wallets
/// @notice Owners give this contract an allowance and sign orders; anyone, or the one matcher that an order
/// names, brings them together. It holds nothing between transactions, calls nothing but tokens, owners
/// that are contracts (a static call, to verify) and the sender's own callback, moves no native coin, and
/// cannot be changed. Tokens that take a fee on transfer, or whose balances move by themselves, are refused.
///
/// An order sells at most `amountIn` of tokenIn at no less than `amountOut` of tokenOut for the whole of it.
/// The limit binds every fill on its own, by cross-multiplication, so that nothing is rounded:
/// `fill.amountOut * order.amountIn >= order.amountOut * fill.amountIn`. What the receiver gets is
/// `fill.amountOut`; the fee comes on top, out of what the other side pays.
///
/// Lanes take the place of nonces. Each owner has 2^32 lanes; on a lane, orders count up by `seq`. An order
/// is alive as long as its seq is not below its lane's: filling a later one, or cancelling, kills the ones
/// before it. Orders that should rest side by side take different lanes. Orders of the same lane and seq
/// share what is filled.
interface ISettle {
    /// @notice How an owner has signed.
    /// ECDSA: `r` and `vs` of EIP-2098, by the owner's key, be it an account with code or not.
    /// ERC1271: the owner's own `isValidSignature`; `r` is the index in the call's signatures, vs is not read.
    /// PRESIGN: the owner has called `presign`; r and vs are not read.
    enum Scheme {
        ECDSA,
        ERC1271,
        PRESIGN
    }

    /// @notice What an owner signs, as EIP-712 typed data under the domain ("Settle", "1", chain, contract).
    /// @param receiver Who gets tokenOut; the zero address means the owner
    /// @param amountIn Base units of tokenIn: what is sold, or the most that is paid
    /// @param amountOut Base units of tokenOut: the least for all of amountIn, or what is bought
    /// @param deadline Last unix second at which it may be filled
    /// @param lane Which of the owner's lanes it stands on
    /// @param seq Its number on that lane
    /// @param maxFeeBps The most that a matcher may keep, in 1e-4 of what the other side pays for a fill
    /// @param matcher Who alone may bring it; the zero address means anyone
    /// @param flags EXACT_OUT = 1: amountOut is what is to be bought, and fills count in tokenOut.
    /// FILL_OR_KILL = 2: all of it or nothing
    struct Order {
        address owner;
        address receiver;
        address tokenIn;
        address tokenOut;
        uint128 amountIn;
        uint128 amountOut;
        uint32 deadline;
        uint32 lane;
        uint32 seq;
        uint16 maxFeeBps;
        address matcher;
        uint8 flags;
    }

    /// @notice An order and how much of it is filled, in seven words.
    /// @param who `owner << 96 | deadline << 64 | lane << 32 | seq`
    /// @param terms `receiver << 96 | maxFeeBps << 80 | flags << 72 | tokenIn << 64 | tokenOut << 56 |
    /// scheme << 48 | exclusive << 40`: the tokens as indices in the call's tokens, and whether the order
    /// names the sender as its matcher
    /// @param limits The order's `amountIn << 128 | amountOut`
    /// @param amounts What moves now: `amountIn << 128 | amountOut`
    /// @param fee Base units of tokenOut that the matcher keeps of this fill
    struct Fill {
        uint256 who;
        uint256 terms;
        uint256 limits;
        uint256 amounts;
        uint256 fee;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice What the sender's callback gets of the batch's tokens before it is called.
    /// @param token Index in the call's tokens
    /// @param amount Base units
    struct Advance {
        uint256 token;
        uint256 amount;
    }

    /// @notice An order was filled. With `Cancelled` it tells the state of every lane.
    /// @param standing `lane << 192 | seq << 128 | filled`: what is filled of that order in all, in tokenOut
    /// for EXACT_OUT, else in tokenIn
    /// @param amounts `amountIn << 128 | amountOut` of this fill
    event Filled(address indexed owner, uint256 standing, uint256 amounts);
    /// @notice The matcher kept `fee` base units of tokenOut of the fill just told.
    event Charged(address indexed owner, uint256 standing, uint256 fee);
    /// @notice Every order on the owner's lane below `seq` is dead.
    /// @param passed `owner << 96 | lane << 64 | seq`, in one topic: that costs least
    event Cancelled(uint256 indexed passed);
    /// @notice The owner stands for the order with this EIP-712 digest on this lane; zero takes it back.
    event Presigned(address indexed owner, uint32 lane, bytes32 digest);
    /// @notice Nothing settles before `until`.
    event Stopped(uint256 until);

    /// @notice Thrown when an order is filled after its deadline.
    error DeadlinePassed(address owner, uint256 deadline, uint256 timestamp);
    /// @notice Thrown when the signature is not the owner's for this order on this chain and contract.
    error WrongSignature(address owner, bytes32 digest);
    /// @notice Thrown when a fill moves nothing.
    error NothingFilled(address owner);
    /// @notice Thrown when a FILL_OR_KILL order is filled in part.
    error PartialFill(address owner, uint256 amount, uint256 size);
    /// @notice Thrown when a fill gives its receiver less than the order's price.
    error LimitBroken(address owner, uint256 amountIn, uint256 amountOut);
    /// @notice Thrown when a fee is above the order's maxFeeBps.
    error FeeTooHigh(address owner, uint256 fee, uint256 maxFeeBps);
    /// @notice Thrown when a fill is not at the batch's prices, rounded for the owner.
    error NotUniform(address owner, uint256 amountIn, uint256 amountOut);
    /// @notice Thrown when the tokens are not in ascending order, each once.
    error TokensUnsorted(uint256 index);
    /// @notice Thrown when there are prices, but not one for each token.
    error PricesMissing(uint256 found, uint256 needed);
    /// @notice Thrown when the batch pays out more of a token than it took.
    error Unbalanced(address token, uint256 found, uint256 needed);
    /// @notice Thrown when a receiver's balance did not grow by what was sent.
    error TransferShort(address token, uint256 found, uint256 needed);
    /// @notice Thrown when a token refuses a call, answers false, or is no contract.
    error TokenCallFailed(address token, bytes4 selector, bytes answer);
    /// @notice Thrown when what an order of a pair sells is not what the other gets and is charged.
    error NotAPair();
    /// @notice Thrown when the sender takes the other side itself and charges a fee.
    error FeeFromTaker(uint256 fee);
    /// @notice Thrown when a settlement is called from within a settlement.
    error Reentered();
    /// @notice Thrown while the guardian's stop lasts.
    error SettlementStopped(uint256 until);
    /// @notice Thrown from the sunset on.
    error SunsetPassed(uint256 sunsetAt);
    /// @notice Thrown when another than the guardian stops, or the guardian after its time.
    error NotGuardian(address sender);

    /// @notice Fill orders against one another through this contract: sells are pulled in, buys are paid
    /// out. Whatever fits together: two orders, a ring, or a part of the flow against outside liquidity.
    /// For each token at least as much must come in as goes out, with the fees, which go to the sender. A
    /// unit of each token left with this contract once makes every batch cheaper: it changes words that are
    /// not zero.
    /// @param tokens The tokens of the batch, ascending
    /// @param prices Empty, or one for each token: every fill must then be at these prices, rounded for the
    /// owner by less than one unit of one of its two tokens
    /// @param signatures For the ERC-1271 owners
    /// @param advances What the sender's callback gets beforehand
    /// @param data What the sender's callback is called with; empty for none
    function settle(
        address[] calldata tokens,
        uint128[] calldata prices,
        Fill[] calldata fills,
        bytes[] calldata signatures,
        Advance[] calldata advances,
        bytes calldata data
    ) external;

    /// @notice Fill two orders against each other, from wallet to wallet: `one` sells tokenIn for tokenOut and
    /// `other` the other way round. Each pays the other's amountOut and, to the sender, the other's fee.
    function pair(
        Fill calldata one,
        Fill calldata other,
        address tokenIn,
        address tokenOut,
        bytes[] calldata signatures
    ) external;

    /// @notice Fill one order against the sender, who pays amountOut and is sent amountIn. The sender sees to
    /// what it is worth; the receiver's balance is checked. The owner has signed by its key, or on chain.
    function take(Fill calldata fill, address tokenIn, address tokenOut) external;

    /// @notice The same of an owner that signs by its code: apart, because the others need no list of
    /// signatures, which costs 300 gas.
    function takeFromContract(
        Fill calldata fill,
        address tokenIn,
        address tokenOut,
        bytes[] calldata signatures
    ) external;

    /// @notice Kill all the sender's orders on a lane up to and with a seq.
    /// @param last `lane << 32 | seq`, as the low half of an order's `who` has it
    function cancel(uint64 last) external;

    /// @notice Stand for the order with this digest without a signature; a lane has room for one.
    function presign(uint32 lane, bytes32 digest) external;

    /// @notice Stop settlements for two weeks, and not beyond the guardian's own time. Cancelling goes on.
    function stop() external;

    /// @notice The lowest seq that may still fill on a lane, and what is filled of the order with it.
    function laneOf(address owner, uint32 lane) external view returns (uint256 seq, uint256 filled);

    /// @notice The digest that the owner stands for on a lane.
    function presigned(address owner, uint32 lane) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of an order on this chain and contract.
    function hashOrder(Order calldata order) external view returns (bytes32 digest);

    /// @notice When the guardian's stop ends; unix seconds.
    function stoppedUntil() external view returns (uint256);
}

/// @title The sender of a batch that brings liquidity from outside
interface ISettleCallback {
    /// @notice Called after the sells are pulled in and the advances paid; what the batch lacks must be in
    /// the caller when this returns.
    function onSettle(address[] calldata tokens, bytes calldata data) external;
}
