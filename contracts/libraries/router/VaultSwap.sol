// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IERC4626} from "../../interfaces/venues/IERC4626.sol";
import {Funds} from "./Funds.sol";
import {Tokens} from "./Tokens.sol";

/// @title Vaults of ERC-4626: assets in for shares, and shares back for assets
/// @dev What they say they gave is not read: the swap's amountOutMin is on what arrives.
library VaultSwap {
    using Funds for IRouter.Hop;
    using Tokens for address;

    function swap(IRouter.Hop calldata hop, address to) internal {
        hop.requireExactIn();
        uint256 amountIn = hop.amountIn();
        hop.collect(amountIn);
        if (hop.tokenIn == hop.pool) {
            IERC4626(hop.pool).redeem(amountIn, to, address(this));
        } else {
            hop.tokenIn.approve(hop.pool, amountIn);
            IERC4626(hop.pool).deposit(amountIn, to);
            hop.tokenIn.disapprove(hop.pool);
        }
    }
}
