// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "./interfaces/IRouter.sol";
import {IPermit2} from "./interfaces/venues/IPermit2.sol";
import {IPoolManager} from "./interfaces/venues/IPoolManager.sol";
import {IVault} from "./interfaces/venues/IVault.sol";
import {IWrapped} from "./interfaces/venues/IWrapped.sol";
import {BalancerSwap} from "./libraries/router/BalancerSwap.sol";
import {Checks} from "./libraries/router/Checks.sol";
import {CurveSwap} from "./libraries/router/CurveSwap.sol";
import {PairSwap} from "./libraries/router/PairSwap.sol";
import {Session} from "./libraries/router/Session.sol";
import {Tokens} from "./libraries/router/Tokens.sol";
import {V3Swap} from "./libraries/router/V3Swap.sol";
import {V4Swap} from "./libraries/router/V4Swap.sol";
import {VaultSwap} from "./libraries/router/VaultSwap.sol";
import {WrappedSwap} from "./libraries/router/WrappedSwap.sol";

contract Router is IRouter {
    using Tokens for address;

    string private constant WITNESS =
        "Swap(address owner,address tokenOut,uint256 amountOutMin,address recipient,bytes32 hopsHash,bytes32 checksHash)";
    string private constant WITNESS_FIELD =
        string.concat("Swap witness)", WITNESS, "TokenPermissions(address token,uint256 amount)");

    IPermit2 private immutable PERMIT2;
    IWrapped private immutable WRAPPED;
    IPoolManager private immutable POOL_MANAGER;
    IVault private immutable VAULT;

    constructor(IPermit2 permit2, IWrapped wrapped, IPoolManager poolManager, IVault vault) {
        PERMIT2 = permit2;
        WRAPPED = wrapped;
        POOL_MANAGER = poolManager;
        VAULT = vault;
    }

    receive() external payable {
        if (msg.sender != address(WRAPPED) && msg.sender != address(POOL_MANAGER)) {
            revert UnexpectedValue(msg.sender);
        }
    }

    /// @inheritdoc IRouter
    function swap(Terms calldata terms, Hop[] calldata hops, Check[] calldata checks)
        external
        payable
        returns (uint256 amountIn, uint256 amountOut)
    {
        open(terms);
        amountOut = run(terms, hops, msg.sender);
        amountIn = terms.amountInMax - leftover(terms);
        Checks.run(checks);
        Session.close();
    }

    /// @inheritdoc IRouter
    function swapBasket(
        Terms calldata terms,
        TokenAmount[] calldata more,
        Hop[] calldata hops,
        Check[] calldata checks
    ) external payable returns (uint256 amountIn, uint256 amountOut) {
        open(terms);
        for (uint256 i = 0; i < more.length; ++i) {
            more[i].token.transferFrom(msg.sender, address(this), more[i].amount);
        }
        amountOut = run(terms, hops, msg.sender);
        amountIn = terms.amountInMax - leftover(terms);
        for (uint256 i = 0; i < more.length; ++i) {
            sweep(more[i].token, msg.sender);
        }
        Checks.run(checks);
        Session.close();
    }

    /// @inheritdoc IRouter
    function swapWithPermit(
        Terms calldata terms,
        Hop[] calldata hops,
        Check[] calldata checks,
        Permit calldata permit
    ) external returns (uint256 amountIn, uint256 amountOut) {
        Session.open(permit.owner, 0);
        pull(terms, permit, hashWitness(terms, hops, checks, permit.owner));
        amountOut = run(terms, hops, permit.owner);
        amountIn = terms.amountInMax - refund(terms, permit.owner);
        Checks.run(checks);
        Session.close();
    }

    /// @inheritdoc IRouter
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        V3Swap.pay(amount0, amount1);
    }

    /// @inheritdoc IRouter
    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        V3Swap.pay(amount0, amount1);
    }

    /// @inheritdoc IRouter
    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        V4Swap.run(POOL_MANAGER, data);
        return "";
    }

    function open(Terms calldata terms) private {
        uint256 value = terms.tokenIn == Tokens.NATIVE ? terms.amountInMax : 0;
        if (msg.value != value) revert ValueMismatch(msg.value, value);
        Session.open(msg.sender, terms.amountInMax - value);
    }

    /// @dev What is left of amountInMax: not taken, or returned as value.
    function leftover(Terms calldata terms) private returns (uint256) {
        return terms.tokenIn == Tokens.NATIVE ? refund(terms, msg.sender) : Session.left();
    }

    function run(Terms calldata terms, Hop[] calldata hops, address payer)
        private
        returns (uint256 amountOut)
    {
        if (block.timestamp > terms.deadline) {
            revert DeadlinePassed(terms.deadline, block.timestamp);
        }
        uint256 before = count(terms, payer);
        for (uint256 i = 0; i < hops.length; ++i) {
            Hop calldata hop = hops[i];
            if (hop.input == Input.PAYER && hop.tokenIn != terms.tokenIn) {
                revert NotTokenIn(hop.tokenIn, terms.tokenIn);
            }
            Venue venue = hop.venue;
            if (venue == Venue.UNISWAP_V4) i = runV4(hops, i, terms);
            else runHop(venue, hop, hop.output == Output.NEXT_POOL ? hops[i + 1].pool : target(hop, terms));
        }
        uint256 present = count(terms, payer);
        amountOut = present > before ? present - before : 0;
        if (amountOut < terms.amountOutMin) revert AmountOutTooLow(amountOut, terms.amountOutMin);
    }

    function runHop(Venue venue, Hop calldata hop, address to) private {
        if (venue == Venue.UNISWAP_V3) V3Swap.swap(hop, to);
        else if (venue == Venue.UNISWAP_V2) PairSwap.swapV2(hop, to);
        else if (venue == Venue.BALANCER_V2) BalancerSwap.swap(VAULT, hop, to);
        else if (venue == Venue.CURVE) CurveSwap.swap(hop, to);
        else if (venue == Venue.SOLIDLY) PairSwap.swapSolidly(hop, to);
        else if (venue == Venue.VAULT) VaultSwap.swap(hop, to);
        else if (venue == Venue.WRAP) WrappedSwap.wrap(WRAPPED, hop, to);
        else WrappedSwap.unwrap(WRAPPED, hop, to);
    }

    /// @dev Runs hop `i` and those that it hands its output on to inside the PoolManager.
    function runV4(Hop[] calldata hops, uint256 i, Terms calldata terms) private returns (uint256 last) {
        last = i;
        while (hops[last].output == Output.NEXT_POOL && hops[last + 1].venue == Venue.UNISWAP_V4) ++last;
        Hop calldata end = hops[last];
        address to = end.output == Output.NEXT_POOL ? hops[last + 1].pool : target(end, terms);
        V4Swap.swap(POOL_MANAGER, hops[i:last + 1], to);
    }

    function target(Hop calldata hop, Terms calldata terms) private view returns (address) {
        return hop.output == Output.RECIPIENT ? terms.recipient : address(this);
    }

    /// @dev The recipient's tokenOut, with what it paid of it itself.
    function count(Terms calldata terms, address payer) private view returns (uint256 amount) {
        amount = terms.tokenOut.balanceOf(terms.recipient);
        if (terms.tokenOut == terms.tokenIn && terms.recipient == payer) {
            amount += terms.amountInMax - Session.left();
        }
    }

    function pull(Terms calldata terms, Permit calldata permit, bytes32 witness) private {
        PERMIT2.permitWitnessTransferFrom(
            IPermit2.PermitTransferFrom(
                IPermit2.TokenPermissions(terms.tokenIn, terms.amountInMax), permit.nonce, terms.deadline
            ),
            IPermit2.SignatureTransferDetails(address(this), terms.amountInMax),
            permit.owner,
            witness,
            WITNESS_FIELD,
            permit.signature
        );
    }

    function hashWitness(Terms calldata terms, Hop[] calldata hops, Check[] calldata checks, address owner)
        private
        pure
        returns (bytes32)
    {
        (bytes32 hopsHash, bytes32 checksHash) = (hashHops(hops), hashChecks(checks));
        return keccak256(
            abi.encode(
                keccak256(bytes(WITNESS)),
                owner,
                terms.tokenOut,
                terms.amountOutMin,
                terms.recipient,
                hopsHash,
                checksHash
            )
        );
    }

    function hashHops(Hop[] calldata hops) private pure returns (bytes32) {
        return keccak256(abi.encode(hops));
    }

    function hashChecks(Check[] calldata checks) private pure returns (bytes32) {
        return keccak256(abi.encode(checks));
    }

    /// @dev Whatever this contract holds of tokenIn goes to the payer; no more than amountInMax counts.
    function refund(Terms calldata terms, address payer) private returns (uint256 amount) {
        amount = sweep(terms.tokenIn, payer);
        if (amount > terms.amountInMax) amount = terms.amountInMax;
    }

    function sweep(address token, address to) private returns (uint256 amount) {
        amount = token.balanceOf(address(this));
        if (amount != 0) token.transfer(to, amount);
    }
}
