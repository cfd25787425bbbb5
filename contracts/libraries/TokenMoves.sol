// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITokenProbe} from "../interfaces/ITokenProbe.sol";

interface IERC20Balance {
    function balanceOf(address account) external view returns (uint256);
}

/// @title Transfers of tokens that answer a bool, or nothing
library TokenMoves {
    function transfer(address token, address to, uint256 amount) internal {
        (bool success, bytes memory data) =
            token.call(abi.encodeWithSignature("transfer(address,uint256)", to, amount));
        if (!success || (data.length != 0 && !abi.decode(data, (bool)))) {
            revert ITokenProbe.TransferFailed(data);
        }
    }
}
