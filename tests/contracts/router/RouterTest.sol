// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deployments} from "./Deployments.sol";
import {
    IBalancerVault,
    IPairV2,
    IPoolV3,
    IQuoterV3,
    IQuoterV4,
    IWeightedPool,
    ModifyLiquidityParams
} from "./Protocols.sol";
import {Router} from "contracts/Router.sol";
import {IRouter} from "contracts/interfaces/IRouter.sol";
import {IPair} from "contracts/interfaces/venues/IPair.sol";
import {IPoolManager} from "contracts/interfaces/venues/IPoolManager.sol";
import {IWrapped} from "contracts/interfaces/venues/IWrapped.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {CurveStandIn} from "contracts/mocks/router/CurveStandIn.sol";
import {SolidlyStandIn} from "contracts/mocks/router/SolidlyStandIn.sol";

/// @title Three tokens a, b, c in the order of their addresses, and a pool of every venue between a and b
/// and between b and c; ether and a in a v4 pool, wrapped ether and a in a v3 pool
abstract contract RouterTest is Deployments {
    uint24 internal constant FEE = 3000;
    int24 internal constant SPACING = 60;
    uint256 internal constant DEPTH = 1e24;
    address internal constant NATIVE = address(0);

    /// @dev A pool as a hop names it.
    struct Place {
        address pool;
        bytes32 data;
    }

    Router internal router;
    TestToken internal a;
    TestToken internal b;
    TestToken internal c;
    mapping(IRouter.Venue venue => Place[2]) internal places;
    Place internal nativePlace;
    Place internal wethPlace;
    address internal trader;
    uint256 internal traderKey;
    address internal recipient = makeAddr("recipient");
    address internal attacker = makeAddr("attacker");

    function setUp() public virtual {
        deployProtocols();
        router = Router(payable(deployShipped("Router", abi.encode(PERMIT2, weth, manager, vault))));
        (trader, traderKey) = makeAddrAndKey("trader");
        (a, b, c) = sort(token("A"), token("B"), token("C"));
        addPools(0, a, b);
        addPools(1, b, c);
        addNativePools();
        vm.startPrank(trader);
        for (uint256 i = 0; i < 3; ++i) {
            TestToken one = [a, b, c][i];
            one.mint(trader, 1e27);
            one.approve(address(router), type(uint256).max);
            one.approve(PERMIT2, type(uint256).max);
        }
        vm.stopPrank();
        vm.deal(trader, 1000 ether);
    }

    receive() external payable {}

    // Pools --------------------------------------------------------------------------------------

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata data) external {
        (address token0, address token1) = abi.decode(data, (address, address));
        mint(token0, msg.sender, amount0);
        mint(token1, msg.sender, amount1);
    }

    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        IPoolManager.PoolKey memory key = abi.decode(data, (IPoolManager.PoolKey));
        (int256 owed,) =
            manager.modifyLiquidity(key, ModifyLiquidityParams(-60_000, 60_000, int256(DEPTH), 0), "");
        settle(key.currency0, uint128(-int128(owed >> 128)));
        settle(key.currency1, uint128(-int128(owed)));
        return "";
    }

    function addPools(uint256 index, TestToken x, TestToken y) private {
        (address token0, address token1) = (address(x), address(y));
        address pair = factoryV2.createPair(token0, token1);
        mint(token0, pair, DEPTH);
        mint(token1, pair, 2 * DEPTH);
        IPairV2(pair).mint(address(this));
        places[IRouter.Venue.UNISWAP_V2][index] = Place(pair, bytes32(uint256(FEE)));
        places[IRouter.Venue.UNISWAP_V3][index] = Place(addV3(token0, token1), "");
        places[IRouter.Venue.UNISWAP_V4][index] = addV4(token0, token1);
        places[IRouter.Venue.BALANCER_V2][index] = addBalancer(token0, token1);
        CurveStandIn curve = new CurveStandIn(x, y);
        mint(token0, address(curve), DEPTH);
        mint(token1, address(curve), DEPTH);
        places[IRouter.Venue.CURVE][index] = Place(address(curve), bytes32(uint256(1 << 8)));
        SolidlyStandIn solidly = new SolidlyStandIn(x, y);
        mint(token0, address(solidly), DEPTH);
        mint(token1, address(solidly), DEPTH);
        solidly.sync();
        places[IRouter.Venue.SOLIDLY][index] = Place(address(solidly), "");
    }

    function addNativePools() private {
        vm.deal(address(this), 10 * DEPTH);
        nativePlace = addV4(NATIVE, address(a));
        (address token0, address token1) = weth < address(a) ? (weth, address(a)) : (address(a), weth);
        wethPlace = Place(addV3(token0, token1), "");
    }

    function addV3(address token0, address token1) internal returns (address pool) {
        pool = factoryV3.createPool(token0, token1, FEE);
        IPoolV3(pool).initialize(2 ** 96);
        IPoolV3(pool).mint(address(this), -60_000, 60_000, uint128(DEPTH), abi.encode(token0, token1));
    }

    function addV4(address token0, address token1) private returns (Place memory) {
        IPoolManager.PoolKey memory key = IPoolManager.PoolKey(token0, token1, FEE, SPACING, address(0));
        manager.initialize(key, 2 ** 96);
        manager.unlock(abi.encode(key));
        return Place(address(0), bytes32((uint256(FEE) << 24) | uint24(SPACING)));
    }

    function addBalancer(address token0, address token1) private returns (Place memory) {
        address[] memory tokens = new address[](2);
        (tokens[0], tokens[1]) = (token0, token1);
        uint256[] memory weights = new uint256[](2);
        (weights[0], weights[1]) = (0.8e18, 0.2e18);
        address pool =
            weightedFactory.create("", "", tokens, weights, new address[](2), 0.003e18, address(this));
        bytes32 poolId = IWeightedPool(pool).getPoolId();
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (4 * DEPTH, DEPTH);
        for (uint256 i = 0; i < 2; ++i) {
            mint(tokens[i], address(this), amounts[i]);
            TestToken(tokens[i]).approve(address(vault), amounts[i]);
        }
        vault.joinPool(
            poolId,
            address(this),
            address(this),
            IBalancerVault.JoinPoolRequest(tokens, amounts, abi.encode(0, amounts), false)
        );
        return Place(pool, poolId);
    }

    function settle(address currency, uint256 amount) private {
        if (currency == NATIVE) {
            (bool paid,) = address(manager).call{value: amount}(abi.encodeCall(manager.settle, ()));
            require(paid, "not paid");
        } else {
            manager.sync(currency);
            mint(currency, address(manager), amount);
            manager.settle();
        }
    }

    function mint(address to_, address to, uint256 amount) internal {
        if (to_ == weth) {
            IWrapped(weth).deposit{value: amount}();
            TestToken(weth).transfer(to, amount);
        } else {
            TestToken(to_).mint(to, amount);
        }
    }

    // Quotes -------------------------------------------------------------------------------------

    /// @dev What the protocol itself answers for pool `index` of a venue, from its lower token or back.
    function quote(IRouter.Venue venue, uint256 index, bool up, uint256 amount, bool exactOut)
        internal
        returns (uint256 other)
    {
        (address tokenIn, address tokenOut) = pairOf(index, up);
        Place memory place = places[venue][index];
        if (venue == IRouter.Venue.UNISWAP_V3) return quoteV3(tokenIn, tokenOut, amount, exactOut);
        if (venue == IRouter.Venue.UNISWAP_V4) return quoteV4(tokenIn, tokenOut, amount, exactOut);
        if (venue == IRouter.Venue.BALANCER_V2) {
            return quoteBalancer(place.data, tokenIn, tokenOut, amount, exactOut);
        }
        if (venue == IRouter.Venue.CURVE) {
            return CurveStandIn(place.pool).get_dy(up ? 0 : 1, up ? 1 : 0, amount);
        }
        if (venue == IRouter.Venue.SOLIDLY) return IPair(place.pool).getAmountOut(amount, tokenIn);
        (uint256 x, uint256 y,) = IPair(place.pool).getReserves();
        if (!up) (x, y) = (y, x);
        // Uniswap's own formula, with its own numbers
        if (exactOut) return x * amount * 1000 / ((y - amount) * 997) + 1;
        return amount * 997 * y / (x * 1000 + amount * 997);
    }

    function quoteV3(address tokenIn, address tokenOut, uint256 amount, bool exactOut)
        private
        returns (uint256 other)
    {
        IQuoterV3.Params memory params = IQuoterV3.Params(tokenIn, tokenOut, amount, FEE, 0);
        if (exactOut) (other,,,) = quoterV3.quoteExactOutputSingle(params);
        else (other,,,) = quoterV3.quoteExactInputSingle(params);
    }

    function quoteV4(address tokenIn, address tokenOut, uint256 amount, bool exactOut)
        private
        returns (uint256 other)
    {
        bool up = tokenIn < tokenOut;
        (address token0, address token1) = up ? (tokenIn, tokenOut) : (tokenOut, tokenIn);
        IQuoterV4.Params memory params = IQuoterV4.Params(
            IPoolManager.PoolKey(token0, token1, FEE, SPACING, address(0)), up, uint128(amount), ""
        );
        if (exactOut) (other,) = quoterV4.quoteExactOutputSingle(params);
        else (other,) = quoterV4.quoteExactInputSingle(params);
    }

    function quoteBalancer(bytes32 poolId, address tokenIn, address tokenOut, uint256 amount, bool exactOut)
        private
        returns (uint256)
    {
        IBalancerVault.BatchSwapStep[] memory steps = new IBalancerVault.BatchSwapStep[](1);
        steps[0] = IBalancerVault.BatchSwapStep(poolId, 0, 1, amount, "");
        address[] memory assets = new address[](2);
        (assets[0], assets[1]) = (tokenIn, tokenOut);
        int256[] memory deltas = vault.queryBatchSwap(
            exactOut ? 1 : 0, steps, assets, IBalancerVault.Funds(address(this), false, address(this), false)
        );
        return exactOut ? uint256(deltas[0]) : uint256(-deltas[1]);
    }

    // Swaps --------------------------------------------------------------------------------------

    function pairOf(uint256 index, bool up) internal view returns (address tokenIn, address tokenOut) {
        (tokenIn, tokenOut) = index == 0 ? (address(a), address(b)) : (address(b), address(c));
        if (!up) (tokenIn, tokenOut) = (tokenOut, tokenIn);
    }

    /// @dev A hop through pool `index` of a venue, upwards, paid by the router to the router.
    function hopOf(IRouter.Venue venue, uint256 index) internal view returns (IRouter.Hop memory hop) {
        (hop.tokenIn, hop.tokenOut) = pairOf(index, true);
        (hop.pool, hop.data) = (places[venue][index].pool, places[venue][index].data);
        hop.venue = venue;
        (hop.input, hop.output) = (IRouter.Input.ROUTER, IRouter.Output.ROUTER);
    }

    /// @dev One hop from a to b, from the trader straight to the recipient.
    function single(IRouter.Venue venue, uint256 amount) internal view returns (IRouter.Hop[] memory hops) {
        hops = new IRouter.Hop[](1);
        hops[0] = hopOf(venue, 0);
        (hops[0].input, hops[0].output) = (IRouter.Input.PAYER, IRouter.Output.RECIPIENT);
        hops[0].amount = amount;
    }

    function termsOf(IRouter.Hop[] memory hops, uint256 amountInMax, uint256 amountOutMin)
        internal
        view
        returns (IRouter.Terms memory)
    {
        return IRouter.Terms(
            hops[0].tokenIn,
            hops[hops.length - 1].tokenOut,
            amountInMax,
            amountOutMin,
            recipient,
            block.timestamp
        );
    }

    function swap(IRouter.Terms memory terms, IRouter.Hop[] memory hops)
        internal
        returns (uint256 amountIn, uint256 amountOut)
    {
        uint256 value = terms.tokenIn == NATIVE ? terms.amountInMax : 0;
        vm.prank(trader);
        return router.swap{value: value}(terms, hops, new IRouter.Check[](0));
    }

    /// @dev The law after every call: nothing is held, nothing is approved.
    function assertClean() internal view {
        assertEq(address(router).balance, 0, "ether held");
        for (uint256 i = 0; i < 4; ++i) {
            TestToken one = [a, b, c, TestToken(weth)][i];
            assertEq(one.balanceOf(address(router)), 0, "token held");
            assertEq(one.allowance(address(router), address(vault)), 0, "vault approved");
            for (uint256 index = 0; index < 2; ++index) {
                address curve = places[IRouter.Venue.CURVE][index].pool;
                assertEq(one.allowance(address(router), curve), 0, "curve approved");
            }
        }
    }

    function token(string memory name) private returns (TestToken) {
        return TestToken(deployShipped("TestToken", abi.encode(name, name, uint8(18))));
    }

    function sort(TestToken x, TestToken y, TestToken z)
        private
        pure
        returns (TestToken, TestToken, TestToken)
    {
        if (x > y) (x, y) = (y, x);
        if (y > z) (y, z) = (z, y);
        if (x > y) (x, y) = (y, x);
        return (x, y, z);
    }
}
