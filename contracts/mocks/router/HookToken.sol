// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A token that calls out in the middle of every transfer, as ERC-777 tokens do
contract HookToken {
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    address private target;
    bytes private data;
    /// @notice What the call answered last, also if it reverted.
    bytes public answer;

    function setHook(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return move(from, to, amount);
    }

    function move(address from, address to, uint256 amount) private returns (bool) {
        if (target != address(0)) (, answer) = target.call(data);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}
