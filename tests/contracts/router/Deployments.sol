// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Shipped} from "../Shipped.sol";
import {
    IBalancerVault,
    IFactoryV2,
    IFactoryV3,
    IManagerV4,
    IQuoterV3,
    IQuoterV4,
    ISwapRouter02,
    IUniversalRouter,
    IWeightedPoolFactory
} from "./Protocols.sol";

/// @title The protocols as they are published, deployed from their packages
abstract contract Deployments is Shipped {
    address internal constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    address internal weth;
    IFactoryV2 internal factoryV2;
    IFactoryV3 internal factoryV3;
    IQuoterV3 internal quoterV3;
    IManagerV4 internal manager;
    IQuoterV4 internal quoterV4;
    IBalancerVault internal vault;
    IWeightedPoolFactory internal weightedFactory;
    IUniversalRouter internal universalRouter;
    ISwapRouter02 internal swapRouter;

    function deployProtocols() internal {
        vm.chainId(1337); // on forge's own id Permit2's code takes its domain for another
        weth = create("canonical-weth-1.4.0/package/build/contracts/WETH9.json", "");
        vm.etch(PERMIT2, readPermit2());
        deployUniswapV2AndV3();
        deployUniswapV4();
        deployBalancer();
        deployUniversalRouter();
    }

    function deployUniswapV2AndV3() private {
        factoryV2 = IFactoryV2(
            create("uniswap-v2-core-1.0.1/package/build/UniswapV2Factory.json", abi.encode(address(0)))
        );
        factoryV3 = IFactoryV3(
            create(
                "uniswap-v3-core-1.0.1/package/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
                ""
            )
        );
        string memory periphery = "uniswap-swap-router-contracts-1.3.1/package/artifacts/contracts/";
        quoterV3 = IQuoterV3(
            create(string.concat(periphery, "lens/QuoterV2.sol/QuoterV2.json"), abi.encode(factoryV3, weth))
        );
        swapRouter = ISwapRouter02(
            create(
                string.concat(periphery, "SwapRouter02.sol/SwapRouter02.json"),
                abi.encode(factoryV2, factoryV3, address(0), weth)
            )
        );
    }

    function deployUniswapV4() private {
        string memory out = "uniswap-v4-periphery-1.0.3/package/foundry-out/";
        manager = IManagerV4(
            create(string.concat(out, "PoolManager.sol/PoolManager.default.json"), abi.encode(address(this)))
        );
        quoterV4 = IQuoterV4(create(string.concat(out, "V4Quoter.sol/V4Quoter.json"), abi.encode(manager)));
    }

    function deployBalancer() private {
        string memory tasks = "balancer-labs-v2-deployments-3.2.0/package/dist/tasks/";
        address authorizer = create(
            string.concat(tasks, "20210418-authorizer/artifact/Authorizer.json"), abi.encode(address(this))
        );
        vault = IBalancerVault(
            create(
                string.concat(tasks, "20210418-vault/artifact/Vault.json"),
                abi.encode(authorizer, weth, 90 days, 30 days)
            )
        );
        address fees = create(
            string.concat(
                tasks,
                "20220725-protocol-fee-percentages-provider/artifact/ProtocolFeePercentagesProvider.json"
            ),
            abi.encode(vault, 0.5e18, 0.5e18)
        );
        weightedFactory = IWeightedPoolFactory(
            create(
                string.concat(tasks, "20230206-weighted-pool-v3/artifact/WeightedPoolFactory.json"),
                abi.encode(vault, fees, "", "")
            )
        );
    }

    function deployUniversalRouter() private {
        bytes32 pairHash = keccak256(read("uniswap-v2-core-1.0.1/package/build/UniswapV2Pair.json"));
        bytes32 poolHash = keccak256(
            read("uniswap-v3-core-1.0.1/package/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json")
        );
        universalRouter = IUniversalRouter(
            create(
                "uniswap-universal-router-2.1.0/package/artifacts/contracts/UniversalRouter.sol/UniversalRouter.json",
                abi.encode(
                    PERMIT2,
                    weth,
                    factoryV2,
                    factoryV3,
                    pairHash,
                    poolHash,
                    manager,
                    address(0),
                    address(0),
                    address(0)
                )
            )
        );
    }

    function create(string memory path, bytes memory arguments) private returns (address deployed) {
        bytes memory code = bytes.concat(read(path), arguments);
        assembly {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), path);
    }

    /// @dev The creation code in an artifact of foundry, hardhat, truffle or waffle.
    function read(string memory path) private view returns (bytes memory) {
        string memory file = vm.readFile(string.concat(".protocols/", path));
        string memory key = vm.keyExistsJson(file, ".bytecode.object") ? ".bytecode.object" : ".bytecode";
        string memory code = vm.parseJsonString(file, key);
        return vm.parseBytes(vm.indexOf(code, "0x") == 0 ? code : string.concat("0x", code));
    }

    function readPermit2() private view returns (bytes memory) {
        string memory source = vm.readFile(
            ".protocols/uniswap-v4-periphery-1.0.3/package/lib/permit2/test/utils/DeployPermit2.sol"
        );
        string memory code = vm.split(vm.split(source, "hex\"")[1], "\"")[0];
        return vm.parseBytes(string.concat("0x", code));
    }
}
