// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @title A vault on OpenZeppelin's source, with an offset, and a fee on deposits that only its preview knows
contract Vault is ERC4626 {
    uint8 private immutable offset;
    uint256 private immutable feeBps;
    constructor(IERC20 asset_, uint8 offset_, uint256 feeBps_) ERC20("Vault", "VLT") ERC4626(asset_) {
        (offset, feeBps) = (offset_, feeBps_);
    }
    function _decimalsOffset() internal view override returns (uint8) { return offset; }
    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return super.previewDeposit(assets - assets * feeBps / 10_000);
    }
}
