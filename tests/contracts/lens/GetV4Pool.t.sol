// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolManager, ModifyLiquidityParams, PoolKey} from "./IPoolManager.sol";
import {LensTest} from "./LensTest.sol";
import {ILens} from "contracts/interfaces/ILens.sol";

/// @title `Lens.getV4Pool` on the PoolManager that Uniswap v4 has deployed
/// forge-config: default.fuzz.runs = 64
contract GetV4PoolTest is LensTest {
    string private constant ARTIFACT =
        ".protocols/uniswap-v4-periphery-1.0.3/package/foundry-out/PoolManager.sol/PoolManager.default.json";
    uint160 private constant PRICE_ONE = 2 ** 96;

    IPoolManager private manager;

    function setUp() public {
        manager = IPoolManager(deployCode(ARTIFACT, abi.encode(address(this))));
        manager.setProtocolFeeController(address(this));
    }

    /// @dev Called by the manager in `mint`: adds the positions and pays for them.
    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        (PoolKey memory key, Position[] memory positions) = abi.decode(data, (PoolKey, Position[]));
        for (uint256 i = 0; i < positions.length; ++i) {
            Position memory own = positions[i];
            (int256 owed,) = manager.modifyLiquidity(
                key,
                ModifyLiquidityParams(own.tickLower, own.tickUpper, int256(uint256(own.liquidity)), 0),
                ""
            );
            pay(uint128(-int128(owed >> 128)), address(token0));
            pay(uint128(-int128(owed)), address(token1));
        }
        return "";
    }

    function testFuzz_getV4Pool_anyLayout_equalsPlainReads(uint256 seed, int24 tickSpacing, uint24 lpFee)
        public
    {
        tickSpacing = int24(bound(tickSpacing, 1, 1000));
        PoolKey memory key = createPool(uint24(bound(lpFee, 0, 1e6)), tickSpacing, drawSqrtPrice(seed));
        setProtocolFee(key, seed);
        Position[] memory positions = drawPositions(seed, tickSpacing);
        manager.unlock(abi.encode(key, positions));
        (int16 from, int16 to) = wordsOf(positions, tickSpacing);

        assertSame(key, from, to);
        int16 start = int16(bound(int256(draw(seed, "start")), from - 2, to + 2));
        assertSame(key, start, int16(bound(int256(draw(seed, "end")), start - 2, to + 2)));
    }

    function testFuzz_getV4Pool_allWords_netsSumToLiquidityInRangeAndToZero(uint256 seed) public {
        PoolKey memory key = createPool(3000, 60, drawSqrtPrice(seed));
        manager.unlock(abi.encode(key, drawPositions(seed, 60)));
        ILens.V4State memory state = lens.getV4Pool(address(manager), keccak256(abi.encode(key)), 60, -58, 57);

        int256 sum;
        int256 inRange;
        for (uint256 i = 0; i < state.ticks.length; ++i) {
            (int24 tick, int128 liquidityNet) = unpack(state.ticks[i]);
            sum += liquidityNet;
            if (tick <= state.tick) inRange += liquidityNet;
        }
        assertEq(inRange, int256(uint256(state.liquidity)));
        assertEq(sum, 0);
    }

    function test_getV4Pool_headFields_areTheOnesSet() public {
        PoolKey memory key = createPool(1234, 60, 2 ** 97);
        manager.setProtocolFee(key, (300 << 12) | 200);
        ILens.V4State memory state = lens.getV4Pool(address(manager), keccak256(abi.encode(key)), 60, 0, 0);
        assertEq(state.sqrtPriceX96, 2 ** 97);
        assertEq(state.tick, 13_863); // floor(log(4) / log(1.0001))
        assertEq(state.protocolFee, (300 << 12) | 200);
        assertEq(state.lpFee, 1234);
        assertEq(state.liquidity, 0);
    }

    function testFuzz_getV4Pool_unknownPool_isAllZeros(bytes32 poolId) public view {
        ILens.V4State memory state = lens.getV4Pool(address(manager), poolId, 1, -5, 5);
        assertEq(
            keccak256(abi.encode(state)),
            keccak256(abi.encode(ILens.V4State(0, 0, 0, 0, 0, new uint256[](0), new uint128[](0))))
        );
    }

    function test_getV4Pool_noContract_reverts() public {
        vm.expectRevert(bytes(""));
        lens.getV4Pool(makeAddr("nobody"), 0, 1, 0, 0);
    }

    function test_getV4Pool_gas() public {
        PoolKey memory key = createPool(100, 1, PRICE_ONE);
        manager.unlock(abi.encode(key, ladder(200, 1)));
        bytes32 poolId = keccak256(abi.encode(key));
        vm.cool(address(manager));
        lens.getV4Pool(address(manager), poolId, 1, -4, 3);
        vm.snapshotGasLastCall("Lens", "getV4Pool: 8 words, 400 ticks");
        vm.cool(address(manager));
        plain.getV4Pool(address(manager), poolId, 1, -4, 3);
        vm.snapshotGasLastCall("Lens", "getV4Pool, plain: 8 words, 400 ticks");
        vm.cool(address(manager));
        lens.getV4Pool(address(manager), poolId, 1, 100, 1099);
        vm.snapshotGasLastCall("Lens", "getV4Pool: 1000 words, no ticks");
    }

    function createPool(uint24 fee, int24 tickSpacing, uint160 sqrtPriceX96)
        private
        returns (PoolKey memory key)
    {
        key = PoolKey(address(token0), address(token1), fee, tickSpacing, address(0));
        manager.initialize(key, sqrtPriceX96);
    }

    function setProtocolFee(PoolKey memory key, uint256 seed) private {
        uint256 fees = draw(seed, "protocol fee");
        manager.setProtocolFee(key, uint24(((fees % 1001) << 12) | ((fees >> 64) % 1001)));
    }

    function pay(uint256 amount, address token) private {
        manager.sync(token);
        (token == address(token0) ? token0 : token1).mint(address(manager), amount);
        manager.settle();
    }

    function assertSame(PoolKey memory key, int16 from, int16 to) private view {
        bytes32 poolId = keccak256(abi.encode(key));
        assertEq(
            keccak256(abi.encode(lens.getV4Pool(address(manager), poolId, key.tickSpacing, from, to))),
            keccak256(abi.encode(plain.getV4Pool(address(manager), poolId, key.tickSpacing, from, to)))
        );
    }
}
