// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolManager} from "contracts/interfaces/venues/IPoolManager.sol";

interface IFactoryV2 {
    function createPair(address tokenA, address tokenB) external returns (address pair);
}

interface IPairV2 {
    function mint(address to) external returns (uint256 liquidity);
}

interface IFactoryV3 {
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
}

interface IPoolV3 {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
}

interface IQuoterV3 {
    struct Params {
        address tokenIn;
        address tokenOut;
        uint256 amount;
        uint24 fee;
        uint160 sqrtPriceLimitX96;
    }

    function quoteExactInputSingle(Params memory params)
        external
        returns (uint256 amountOut, uint160 priceAfter, uint32 ticksCrossed, uint256 gas);
    function quoteExactOutputSingle(Params memory params)
        external
        returns (uint256 amountIn, uint160 priceAfter, uint32 ticksCrossed, uint256 gas);
}

struct ModifyLiquidityParams {
    int24 tickLower;
    int24 tickUpper;
    int256 liquidityDelta;
    bytes32 salt;
}

interface IManagerV4 {
    function initialize(IPoolManager.PoolKey calldata key, uint160 sqrtPriceX96) external returns (int24);
    function unlock(bytes calldata data) external returns (bytes memory);
    function modifyLiquidity(
        IPoolManager.PoolKey calldata key,
        ModifyLiquidityParams calldata params,
        bytes calldata hookData
    ) external returns (int256 callerDelta, int256 feesAccrued);
    function sync(address currency) external;
    function settle() external payable returns (uint256 paid);
}

interface IQuoterV4 {
    struct Params {
        IPoolManager.PoolKey key;
        bool zeroForOne;
        uint128 amount;
        bytes hookData;
    }

    function quoteExactInputSingle(Params memory params) external returns (uint256 amountOut, uint256 gas);
    function quoteExactOutputSingle(Params memory params) external returns (uint256 amountIn, uint256 gas);
}

interface IWeightedPoolFactory {
    function create(
        string memory name,
        string memory symbol,
        address[] memory tokens,
        uint256[] memory weights,
        address[] memory rateProviders,
        uint256 swapFee,
        address owner
    ) external returns (address);
}

interface IWeightedPool {
    function getPoolId() external view returns (bytes32);
}

interface IBalancerVault {
    struct JoinPoolRequest {
        address[] assets;
        uint256[] maxAmountsIn;
        bytes userData;
        bool fromInternalBalance;
    }

    struct BatchSwapStep {
        bytes32 poolId;
        uint256 assetInIndex;
        uint256 assetOutIndex;
        uint256 amount;
        bytes userData;
    }

    struct Funds {
        address sender;
        bool fromInternalBalance;
        address recipient;
        bool toInternalBalance;
    }

    function joinPool(bytes32 poolId, address sender, address recipient, JoinPoolRequest memory request)
        external
        payable;
    function queryBatchSwap(
        uint8 kind,
        BatchSwapStep[] memory swaps,
        address[] memory assets,
        Funds memory funds
    ) external returns (int256[] memory deltas);
}

interface IUniversalRouter {
    function execute(bytes calldata commands, bytes[] calldata inputs, uint256 deadline) external payable;
}

interface IAllowanceTransfer {
    function approve(address token, address spender, uint160 amount, uint48 expiration) external;
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}

interface ISwapRouter02 {
    struct Params {
        address tokenIn;
        address tokenOut;
        uint24 fee;
        address recipient;
        uint256 amountIn;
        uint256 amountOutMinimum;
        uint160 sqrtPriceLimitX96;
    }

    struct PathParams {
        bytes path;
        address recipient;
        uint256 amountIn;
        uint256 amountOutMinimum;
    }

    function multicall(uint256 deadline, bytes[] calldata data) external payable returns (bytes[] memory);
    function exactInputSingle(Params calldata params) external payable returns (uint256 amountOut);
}
