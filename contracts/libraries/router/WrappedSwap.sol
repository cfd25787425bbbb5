// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRouter} from "../../interfaces/IRouter.sol";
import {IWrapped} from "../../interfaces/venues/IWrapped.sol";
import {Funds} from "./Funds.sol";
import {Tokens} from "./Tokens.sol";

/// @title The native coin for its wrapped token and back, one for one
library WrappedSwap {
    using Funds for IRouter.Hop;
    using Tokens for address;

    function wrap(IWrapped wrapped, IRouter.Hop calldata hop, address to) internal {
        uint256 amount = hop.amountIn();
        wrapped.deposit{value: amount}();
        if (to != address(this)) address(wrapped).transfer(to, amount);
    }

    function unwrap(IWrapped wrapped, IRouter.Hop calldata hop, address to) internal {
        uint256 amount = hop.amountIn();
        hop.collect(amount);
        wrapped.withdraw(amount);
        if (to != address(this)) Tokens.NATIVE.transfer(to, amount);
    }
}
