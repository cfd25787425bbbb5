// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Runs a route over the pools of several protocols, all of it or nothing
/// @notice Holds nothing between transactions, leaves no approvals, has no owner and is not upgradable.
/// It calls pools, tokens and its four fixed contracts in the ways below, and nothing else; checks are
/// static calls. Tokens are taken from nobody but the caller of `swap` or `swapBasket` or the signer of
/// `swapWithPermit`, and never more than `amountInMax` (of a basket: than each amount).
///
/// A route is a list of hops in an order in which each finds its input: hops may split a flow and
/// merge flows. What hops leave in this contract of a token that is not tokenIn is anyone's to take: the
/// last hop that sells a token takes all of it (amount 0).
///
/// The pools are the caller's choice. A pool that cheats can take what its hop offers and the input that
/// is left, but the swap then fails its `amountOutMin`. What reaches the recipient counts whoever sends
/// it: a recipient that others owe tokens should not let them choose the pools.
///
/// The native coin is the zero address. As input it is the call's value, held by this contract.
interface IRouter {
    /// @notice Where a hop swaps, and what `pool` and `data` mean there.
    ///
    /// UNISWAP_V2: a pair of Uniswap v2 or a fork; data is its fee on the input in pips (1e-6).
    /// UNISWAP_V3: a pool of Uniswap v3 or a kin that calls back as it or as PancakeSwap does.
    /// UNISWAP_V4: pool is the hooks' address; data is `fee << 24 | uint24(tickSpacing)`.
    /// BALANCER_V2: data is the pool's id in the Vault; pool is not read.
    /// CURVE: data is `tokenIn's index | tokenOut's index << 8`, plus `1 << 16` where the pool takes
    /// the indices as uint256 (CryptoSwap) instead of int128 (StableSwap). Exact input only.
    /// SOLIDLY: a pool of Solidly, Velodrome v2 or Aerodrome. Exact input only.
    /// WRAP, UNWRAP: the native coin for its wrapped token and back; pool and data are not read.
    /// VAULT: a vault of ERC-4626: tokenIn is its asset and tokenOut the vault, or the other way round; data
    /// is not read. Exact input only.
    enum Venue {
        UNISWAP_V2,
        UNISWAP_V3,
        UNISWAP_V4,
        BALANCER_V2,
        CURVE,
        SOLIDLY,
        WRAP,
        UNWRAP,
        VAULT
    }

    /// @notice Who pays a hop. PAYER: the caller of `swap`, directly, by allowance. ROUTER: this
    /// contract, of what earlier hops gave it, of a permit, or of the call's value. POOL: the hop
    /// before has sent it to the pool already (UNISWAP_V2 and SOLIDLY, exact input), or left it in the
    /// PoolManager (UNISWAP_V4 after UNISWAP_V4: both then run under one unlock).
    enum Input {
        PAYER,
        ROUTER,
        POOL
    }

    /// @notice Who gets what a hop gives. NEXT_POOL: the pool of the hop after it, whose input is POOL.
    enum Output {
        RECIPIENT,
        ROUTER,
        NEXT_POOL
    }

    /// @notice How a check compares the word found with its bound; signed ones read both as int256.
    enum Comparison {
        AT_LEAST,
        AT_MOST,
        EQUAL,
        SIGNED_AT_LEAST,
        SIGNED_AT_MOST
    }

    /// @notice What holds for the whole swap.
    /// @param tokenIn What is sold
    /// @param tokenOut What is bought; may be tokenIn, for a cycle
    /// @param amountInMax The most that is taken; exactly this is taken by a permit or as value, and what
    /// is not spent of it returns to the payer
    /// @param amountOutMin The least by which the recipient's balance must grow; what is taken of a
    /// recipient that pays the same token itself is not counted against it
    /// @param recipient Who receives tokenOut
    /// @param deadline Last unix second at which the swap may run
    struct Terms {
        address tokenIn;
        address tokenOut;
        uint256 amountInMax;
        uint256 amountOutMin;
        address recipient;
        uint256 deadline;
    }

    /// @notice An amount of a token, base units.
    struct TokenAmount {
        address token;
        uint256 amount;
    }

    /// @notice One swap.
    /// @param exactOut Whether `amount` is what the hop gives instead of what it takes
    /// @param amount Base units; of an exact input 0 means all that is left: of amountInMax with
    /// Input.PAYER, of this contract's balance with Input.ROUTER. Not read with Input.POOL
    struct Hop {
        Venue venue;
        Input input;
        Output output;
        bool exactOut;
        address pool;
        address tokenIn;
        address tokenOut;
        uint256 amount;
        bytes32 data;
    }

    /// @notice A condition on the state after the swap: word number `word` (from 0) of what `target`
    /// answers to a static call with `data`.
    struct Check {
        address target;
        bytes data;
        uint256 word;
        Comparison comparison;
        uint256 bound;
    }

    /// @notice A signature for Permit2's SignatureTransfer of (tokenIn, amountInMax) to this contract,
    /// with the deadline of the terms and, as witness,
    /// `Swap(address owner,address tokenOut,uint256 amountOutMin,address recipient,bytes32 hopsHash,
    /// bytes32 checksHash)`. The hashes are keccak256 of the ABI encoding of `Hop[]` and of `Check[]`.
    /// @param nonce An unordered nonce of Permit2 that the owner has not used
    struct Permit {
        address owner;
        uint256 nonce;
        bytes signature;
    }

    /// @notice Thrown when the swap runs after its deadline.
    error DeadlinePassed(uint256 deadline, uint256 timestamp);
    /// @notice Thrown when a swap is called from within a swap.
    error Reentered();
    /// @notice Thrown when the call's value is not what the terms say: amountInMax if tokenIn is native,
    /// else 0.
    error ValueMismatch(uint256 found, uint256 needed);
    /// @notice Thrown when the native coin arrives from another than the wrapped token or v4.
    error UnexpectedValue(address sender);
    /// @notice Thrown when a hop that the payer pays does not sell tokenIn.
    error NotTokenIn(address found, address needed);
    /// @notice Thrown when more would be taken from the payer than `left` of amountInMax.
    error AmountInExceeded(uint256 amount, uint256 left);
    /// @notice Thrown when the recipient's balance grew by less than amountOutMin.
    error AmountOutTooLow(uint256 found, uint256 needed);
    /// @notice Thrown when a callback comes from another than the pool that this contract is calling.
    error UnexpectedCallback(address caller);
    /// @notice Thrown when a pool did not ask for its payment.
    error CallbackMissing(address pool);
    /// @notice Thrown when a pool's liquidity ends before the hop's amount.
    error PartialFill(address pool, uint256 asked, uint256 filled);
    /// @notice Thrown when a hop asks for an exact output of a venue that has none.
    error ExactOutUnsupported(Venue venue);
    /// @notice Thrown when an amount is beyond what the venue's call can carry.
    error AmountTooLarge(uint256 amount);
    /// @notice Thrown when a token refuses a call, answers false, or is no contract.
    error TokenCallFailed(address token, bytes4 selector, bytes answer);
    /// @notice Thrown when the native coin is refused.
    error NativeRefused(address to, uint256 amountWei);
    /// @notice Thrown when a check finds a word outside its bound.
    error CheckFailed(uint256 index, uint256 found, uint256 bound);
    /// @notice Thrown when a check's target reverts, or answers too few words.
    error CheckUnanswered(uint256 index, bytes answer);

    /// @notice Swap the caller's tokens, by its allowance to this contract, or the call's value.
    /// @return amountIn What was taken and not returned
    /// @return amountOut What the recipient got
    function swap(Terms calldata terms, Hop[] calldata hops, Check[] calldata checks)
        external
        payable
        returns (uint256 amountIn, uint256 amountOut);

    /// @notice Swap several of the caller's tokens at once: tokenIn as `swap` takes it, and all of `more`, by
    /// allowance, before the first hop. Hops take those from this contract (Input.ROUTER); what they leave
    /// of them returns to the caller.
    /// @param more What is sold beside tokenIn, none of it the native coin
    /// @return amountIn What was taken of tokenIn and not returned
    /// @return amountOut What the recipient got
    function swapBasket(
        Terms calldata terms,
        TokenAmount[] calldata more,
        Hop[] calldata hops,
        Check[] calldata checks
    ) external payable returns (uint256 amountIn, uint256 amountOut);

    /// @notice Swap a signer's tokens; anyone may bring the signature, nobody can change what it signs.
    /// The hops take their input from this contract (Input.ROUTER).
    /// @return amountIn What was taken and not returned
    /// @return amountOut What the recipient got
    function swapWithPermit(
        Terms calldata terms,
        Hop[] calldata hops,
        Check[] calldata checks,
        Permit calldata permit
    ) external returns (uint256 amountIn, uint256 amountOut);

    /// @notice Called by a v3 pool in the middle of its swap: pays what it is owed.
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external;

    /// @notice The same, under PancakeSwap's name.
    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external;

    /// @notice Called by v4's PoolManager: swaps, pays and takes.
    function unlockCallback(bytes calldata data) external returns (bytes memory);
}
