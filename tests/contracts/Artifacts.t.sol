// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lens} from "contracts/Lens.sol";
import {Router} from "contracts/Router.sol";
import {TokenProbe} from "contracts/TokenProbe.sol";
import {TestToken} from "contracts/mocks/TestToken.sol";
import {Test} from "forge-std/Test.sol";

/// @title What these tests run is what the Python package ships
contract ArtifactsTest is Test {
    function test_artifacts_areWhatForgeCompiles() public view {
        assertShipped("Lens", type(Lens).creationCode);
        assertShipped("Router", type(Router).creationCode);
        assertShipped("TestToken", type(TestToken).creationCode);
        assertShipped("TokenProbe", type(TokenProbe).creationCode);
    }

    function assertShipped(string memory name, bytes memory compiled) private view {
        string memory file = vm.readFile(string.concat("onchain_exec/core/artifacts/", name, ".json"));
        assertEq(vm.parseJsonBytes(file, ".bytecode"), compiled, name);
    }
}
