// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../TestToken.sol";
import {SolidlyStandIn} from "./SolidlyStandIn.sol";

/// @title A factory that answers as Aerodrome's does, and makes pools with a fee of their own
contract SolidlyFactoryStandIn {
    mapping(address tokenA => mapping(address tokenB => mapping(bool stable => address pool))) public getPool;
    mapping(address pool => uint256 feeBps) private fees;
    bool public isPaused;

    function create(TestToken token0, TestToken token1, bool stable, uint256 feeBps)
        external
        returns (address pool)
    {
        pool = address(new SolidlyStandIn(token0, token1, stable));
        fees[pool] = feeBps;
        getPool[address(token0)][address(token1)][stable] = pool;
        getPool[address(token1)][address(token0)][stable] = pool;
    }

    function pause() external {
        isPaused = true;
    }

    function getFee(address pool, bool) external view returns (uint256) {
        return fees[pool];
    }
}
