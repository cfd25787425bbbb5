// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shipped} from "../Shipped.sol";
import {Orders} from "./Orders.sol";
import {ISettle} from "contracts/interfaces/ISettle.sol";
import {PlainToken} from "contracts/mocks/PlainToken.sol";

/// @title Three tokens in the order of their addresses, and makers with keys who sign
abstract contract SettleTest is Shipped {
    uint256 internal constant UNIT = 1e18;

    ISettle internal settlement;
    address[] internal tokens;
    bytes[] internal noSignatures;
    uint128[] internal noPrices;
    ISettle.Advance[] internal noAdvances;
    uint256 internal makers;
    mapping(address maker => uint256) internal keys;
    address internal guardian = makeAddr("guardian");
    address internal matcher = makeAddr("matcher");

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        settlement = deploySettle();
        for (uint256 i = 0; i < 3; ++i) {
            tokens.push(deployShipped("PlainToken"));
        }
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (tokens[j] < tokens[i]) (tokens[i], tokens[j]) = (tokens[j], tokens[i]);
            }
        }
    }

    function deploySettle() internal returns (ISettle) {
        bytes memory arguments = abi.encode(guardian, block.timestamp + 365 days, block.timestamp + 730 days);
        return ISettle(deployShipped("Settle", arguments));
    }

    /// @dev An owner with a key, who holds every token and allows the contract all of it.
    function maker() internal returns (address account) {
        uint256 key = uint256(keccak256(abi.encode("maker", ++makers)));
        account = vm.addr(key);
        keys[account] = key;
        fund(account);
    }

    function fund(address account) internal {
        for (uint256 i = 0; i < tokens.length; ++i) {
            PlainToken(tokens[i]).mint(account, 1e9 * UNIT);
            vm.prank(account);
            PlainToken(tokens[i]).approve(address(settlement), type(uint256).max);
        }
    }

    function orderOf(address owner, uint256 tokenIn, uint256 tokenOut, uint256 amountIn, uint256 amountOut)
        internal
        view
        returns (ISettle.Order memory)
    {
        return ISettle.Order({
            owner: owner,
            receiver: address(0),
            tokenIn: tokens[tokenIn],
            tokenOut: tokens[tokenOut],
            amountIn: uint128(amountIn),
            amountOut: uint128(amountOut),
            deadline: uint32(block.timestamp + 1 hours),
            lane: 0,
            seq: 1,
            maxFeeBps: 10,
            matcher: address(0),
            flags: 0
        });
    }

    /// @dev The whole of an order, signed by its owner's key.
    function whole(ISettle.Order memory order) internal view returns (ISettle.Fill memory) {
        return fillOf(order, order.amountIn, order.amountOut);
    }

    function fillOf(ISettle.Order memory order, uint256 amountIn, uint256 amountOut)
        internal
        view
        returns (ISettle.Fill memory fill)
    {
        fill = unsigned(order, amountIn, amountOut);
        (fill.r, fill.vs) = vm.signCompact(keys[order.owner], settlement.hashOrder(order));
    }

    function unsigned(ISettle.Order memory order, uint256 amountIn, uint256 amountOut)
        internal
        view
        returns (ISettle.Fill memory)
    {
        return Orders.pack(order, tokens, amountIn, amountOut);
    }

    function indexOf(address token) internal view returns (uint256 index) {
        return Orders.indexOf(tokens, token);
    }

    function settle(ISettle.Fill[] memory fills) internal {
        vm.prank(matcher);
        settlement.settle(tokens, noPrices, fills, noSignatures, noAdvances, "");
    }

    function balance(uint256 token, address account) internal view returns (uint256) {
        return PlainToken(tokens[token]).balanceOf(account);
    }
}
