// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A token whose balances are shares of a whole that grows and shrinks without a Transfer
contract RebasingToken {
    event Transfer(address indexed from, address indexed to, uint256 value);

    string public constant name = "Rebasing";
    string public constant symbol = "REB";
    uint8 public constant decimals = 18;
    uint256 public indexWad = 1e18;
    mapping(address account => uint256) public shares;

    function balanceOf(address account) public view returns (uint256) {
        return shares[account] * indexWad / 1e18;
    }

    function mint(address to, uint256 amount) external {
        shares[to] += amount * 1e18 / indexWad;
        emit Transfer(address(0), to, amount);
    }

    function rebase(uint256 indexWad_) external {
        indexWad = indexWad_;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        uint256 moved = amount * 1e18 / indexWad;
        shares[msg.sender] -= moved;
        shares[to] += moved;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}
