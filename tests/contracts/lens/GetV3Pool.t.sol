// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LensTest} from "./LensTest.sol";
import {OtherPool} from "./OtherPool.sol";
import {ILens} from "contracts/interfaces/ILens.sol";

interface IV3Factory {
    function enableFeeAmount(uint24 fee, int24 tickSpacing) external;
    function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
}

interface IV3PoolActions {
    function initialize(uint160 sqrtPriceX96) external;
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);
}

/// @title `Lens.getV3Pool` on the pool that Uniswap v3 has deployed
/// forge-config: default.fuzz.runs = 64
contract GetV3PoolTest is LensTest {
    string private constant ARTIFACTS = ".protocols/uniswap-v3-core-1.0.1/package/artifacts/contracts/";
    uint160 private constant PRICE_ONE = 2 ** 96;

    IV3Factory private factory;

    function setUp() public {
        factory =
            IV3Factory(deployCode(string.concat(ARTIFACTS, "UniswapV3Factory.sol/UniswapV3Factory.json")));
        factory.enableFeeAmount(100, 1);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        token0.mint(msg.sender, amount0);
        token1.mint(msg.sender, amount1);
    }

    function testFuzz_getV3Pool_anyLayout_equalsPlainReads(uint256 seed, uint8 tier) public {
        (uint24 fee, int24 tickSpacing) = drawTier(tier);
        address pool = createPool(fee, drawSqrtPrice(seed));
        Position[] memory positions = drawPositions(seed, tickSpacing);
        mint(pool, positions);
        (int16 from, int16 to) = wordsOf(positions, tickSpacing);

        assertSame(pool, from, to);
        // A page that starts and ends anywhere, also before, behind or across the positions.
        int16 start = int16(bound(int256(draw(seed, "start")), from - 2, to + 2));
        assertSame(pool, start, int16(bound(int256(draw(seed, "end")), start - 2, to + 2)));
    }

    function testFuzz_getV3Pool_allWords_netsSumToLiquidityInRangeAndToZero(uint256 seed) public {
        address pool = createPool(3000, drawSqrtPrice(seed));
        mint(pool, drawPositions(seed, 60));
        ILens.V3State memory state = lens.getV3Pool(pool, -58, 57);

        int256 sum;
        int256 inRange;
        int256 previous = type(int256).min;
        for (uint256 i = 0; i < state.ticks.length; ++i) {
            (int24 tick, int128 liquidityNet) = unpack(state.ticks[i]);
            assertGt(tick, previous, "ascending");
            assertEq(state.ticks[i] >> 152, 0, "bits above");
            previous = tick;
            sum += liquidityNet;
            if (tick <= state.tick) inRange += liquidityNet;
        }
        assertEq(inRange, int256(uint256(state.liquidity)));
        assertEq(sum, 0);
    }

    function test_getV3Pool_ticksAtTheEdgesOfTheDomain_areFound() public {
        address pool = createPool(100, PRICE_ONE);
        Position[] memory positions = new Position[](1);
        positions[0] = Position(-887_272, 887_272, 1e18);
        mint(pool, positions);
        ILens.V3State memory state = lens.getV3Pool(pool, -3466, -3466);
        assertEq(state.ticks.length, 1);
        assertEq(state.ticks[0], uint256(uint24(int24(-887_272))) | (1e18 << 24));
        state = lens.getV3Pool(pool, 3465, 3465);
        (int24 tick, int128 liquidityNet) = unpack(state.ticks[0]);
        assertEq(tick, 887_272);
        assertEq(liquidityNet, -1e18);
    }

    function test_getV3Pool_notInitialised_hasPriceZeroAndNoTicks() public {
        address pool = factory.createPool(address(token0), address(token1), 500);
        ILens.V3State memory state = lens.getV3Pool(pool, -10, 10);
        assertEq(state.sqrtPriceX96, 0);
        assertEq(state.ticks.length, 0);
        assertEq(state.fee, 500);
        assertEq(state.tickSpacing, 10);
        assertEq(state.token0, address(token0));
        assertEq(state.token1, address(token1));
    }

    function testFuzz_getV3Pool_emptyRange_readsHeadOnly(int16 from, int16 to) public {
        vm.assume(from > to);
        address pool = createPool(3000, PRICE_ONE);
        ILens.V3State memory state = lens.getV3Pool(pool, from, to);
        assertEq(state.sqrtPriceX96, PRICE_ONE);
        assertEq(state.ticks.length, 0);
    }

    function test_getV3Pool_widestWords_doNotOverflow() public {
        address pool = createPool(100, PRICE_ONE);
        assertEq(lens.getV3Pool(pool, type(int16).max, type(int16).max).ticks.length, 0);
        assertEq(lens.getV3Pool(pool, type(int16).min, type(int16).min).ticks.length, 0);
    }

    function testFuzz_getV3Pool_kinWithOtherWords_isReadAlike(uint8 slot0Words, uint8 tickWords, int128 net)
        public
    {
        OtherPool pool = new OtherPool(2 + slot0Words % 8, 2 + tickWords % 10, net);
        ILens.V3State memory state = lens.getV3Pool(address(pool), -1, 1);
        assertEq(state.sqrtPriceX96, pool.SQRT_PRICE_X96());
        assertEq(state.tick, pool.TICK());
        assertEq(state.ticks.length, 1);
        (int24 tick, int128 liquidityNet) = unpack(state.ticks[0]);
        assertEq(tick, pool.INITIALISED());
        assertEq(liquidityNet, net);
    }

    function test_getV3Pool_noContract_reverts() public {
        vm.expectRevert(bytes(""));
        lens.getV3Pool(makeAddr("nobody"), 0, 0);
    }

    function test_getV3Pool_aToken_reverts() public {
        vm.expectRevert(bytes(""));
        lens.getV3Pool(address(token0), 0, 0);
    }

    function test_getV3Pool_gas() public {
        address pool = createPool(100, PRICE_ONE);
        mint(pool, ladder(200, 1));
        vm.cool(pool);
        lens.getV3Pool(pool, -4, 3);
        vm.snapshotGasLastCall("Lens", "getV3Pool: 8 words, 400 ticks");
        vm.cool(pool);
        plain.getV3Pool(pool, -4, 3);
        vm.snapshotGasLastCall("Lens", "getV3Pool, plain: 8 words, 400 ticks");
        vm.cool(pool);
        lens.getV3Pool(pool, 100, 1099);
        vm.snapshotGasLastCall("Lens", "getV3Pool: 1000 words, no ticks");
    }

    function drawTier(uint8 tier) private pure returns (uint24 fee, int24 tickSpacing) {
        if (tier % 4 == 0) return (100, 1);
        if (tier % 4 == 1) return (500, 10);
        if (tier % 4 == 2) return (3000, 60);
        return (10_000, 200);
    }

    function createPool(uint24 fee, uint160 sqrtPriceX96) private returns (address pool) {
        pool = factory.createPool(address(token0), address(token1), fee);
        IV3PoolActions(pool).initialize(sqrtPriceX96);
    }

    function mint(address pool, Position[] memory positions) private {
        for (uint256 i = 0; i < positions.length; ++i) {
            Position memory own = positions[i];
            IV3PoolActions(pool).mint(address(this), own.tickLower, own.tickUpper, own.liquidity, "");
        }
    }

    function assertSame(address pool, int16 from, int16 to) private view {
        assertEq(
            keccak256(abi.encode(lens.getV3Pool(pool, from, to))),
            keccak256(abi.encode(plain.getV3Pool(pool, from, to)))
        );
    }
}
