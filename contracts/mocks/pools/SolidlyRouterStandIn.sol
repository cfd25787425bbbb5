// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../TestToken.sol";
import {SolidlyFactoryStandIn} from "./SolidlyFactoryStandIn.sol";
import {SolidlyStandIn} from "./SolidlyStandIn.sol";

/// @title A router that is called as Aerodrome's is
contract SolidlyRouterStandIn {
    struct Route {
        address from;
        address to;
        bool stable;
        address factory;
    }

    function swapExactTokensForTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        Route[] calldata routes,
        address to,
        uint256 deadline
    ) external returns (uint256 amount) {
        require(block.timestamp <= deadline, "Expired");
        amount = amountIn;
        TestToken(routes[0].from).transferFrom(msg.sender, address(find(routes[0])), amount);
        for (uint256 i = 0; i < routes.length; ++i) {
            amount = find(routes[i]).getAmountOut(amount, routes[i].from);
            bool sellsToken0 = routes[i].from < routes[i].to;
            address receiver = i + 1 < routes.length ? address(find(routes[i + 1])) : to;
            find(routes[i]).swap(sellsToken0 ? 0 : amount, sellsToken0 ? amount : 0, receiver, "");
        }
        require(amount >= amountOutMin, "InsufficientOutputAmount");
    }

    function find(Route calldata route) private view returns (SolidlyStandIn) {
        return
            SolidlyStandIn(SolidlyFactoryStandIn(route.factory).getPool(route.from, route.to, route.stable));
    }
}
