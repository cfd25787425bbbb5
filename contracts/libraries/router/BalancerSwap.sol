// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IVault} from "../../interfaces/venues/IVault.sol";
import {Funds} from "./Funds.sol";
import {Session} from "./Session.sol";
import {Tokens} from "./Tokens.sol";

/// @title Pools of Balancer v2, whose Vault pulls the input
library BalancerSwap {
    using Funds for IRouter.Hop;
    using Tokens for address;

    function swap(IVault vault, IRouter.Hop calldata hop, address to) internal {
        uint256 most = hop.exactOut ? available(hop) : hop.amountIn();
        hop.collect(most);
        hop.tokenIn.approve(address(vault), most);
        uint256 calculated = vault.swap(
            IVault.SingleSwap({
                poolId: hop.data,
                kind: hop.exactOut ? IVault.SwapKind.GIVEN_OUT : IVault.SwapKind.GIVEN_IN,
                assetIn: hop.tokenIn,
                assetOut: hop.tokenOut,
                amount: hop.exactOut ? hop.amount : most,
                userData: ""
            }),
            IVault.FundManagement(address(this), false, to, false),
            hop.exactOut ? most : 0,
            block.timestamp
        );
        hop.tokenIn.disapprove(address(vault));
        if (hop.exactOut && hop.input == IRouter.Input.PAYER) Funds.giveBack(hop.tokenIn, most - calculated);
    }

    /// @dev The Vault tells an exact output's input only after it: it may pull up to all there is.
    function available(IRouter.Hop calldata hop) private view returns (uint256) {
        return hop.input == IRouter.Input.PAYER ? Session.left() : hop.tokenIn.balanceOf(address(this));
    }
}
