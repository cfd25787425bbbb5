// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ERC-20 for tests and local chains: anyone mints, and it can misbehave as tokens in the wild do
contract TestToken {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// @notice Thrown when an account holds less than it should give.
    error InsufficientBalance(address account, uint256 balance, uint256 needed);
    /// @notice Thrown when a spender may take less than it wants.
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    /// @notice Thrown when an allowance that is not zero is changed to another that is not zero.
    error AllowanceNotZero(address spender, uint256 allowance);
    /// @notice Thrown when the token moves while it is paused.
    error Paused();

    uint256 private constant BPS = 10_000;

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    /// @notice Whether an allowance must pass through zero to change, as USDT's must.
    bool public refusesAllowanceChange;
    /// @notice Share of a transfer that is burnt, in 1e-4, rounded down.
    uint256 public transferFeeBps;
    /// @notice Whether transfers revert.
    bool public paused;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function setRefusesAllowanceChange(bool refuses) external {
        refusesAllowanceChange = refuses;
    }

    function setTransferFeeBps(uint256 feeBps) external {
        transferFeeBps = feeBps;
    }

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        uint256 current = allowance[msg.sender][spender];
        if (refusesAllowanceChange && current != 0 && amount != 0) revert AllowanceNotZero(spender, current);
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert InsufficientAllowance(msg.sender, allowed, amount);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        move(from, to, amount);
        return true;
    }

    function move(address from, address to, uint256 amount) private {
        if (paused) revert Paused();
        uint256 balance = balanceOf[from];
        if (balance < amount) revert InsufficientBalance(from, balance, amount);
        uint256 fee = amount * transferFeeBps / BPS;
        balanceOf[from] = balance - amount;
        balanceOf[to] += amount - fee;
        emit Transfer(from, to, amount - fee);
        if (fee != 0) {
            totalSupply -= fee;
            emit Transfer(from, address(0), fee);
        }
    }
}
