// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What a token really moves
/// @notice Holds no state and is never deployed: `eth_call` puts its runtime bytecode, through a state
/// override, at an account that holds the token, so that it moves that account's balance.
interface ITokenProbe {
    /// @notice What balances changed by, in base units.
    /// @param sent What the holder lost when it gave `amount` to a stranger
    /// @param received What the stranger then had
    /// @param returned What the holder got when the stranger gave all of it back
    struct Moved {
        uint256 sent;
        uint256 received;
        uint256 returned;
    }

    /// @notice Thrown when a transfer reverts or answers false.
    /// @param reason The token's revert data
    error TransferFailed(bytes reason);

    /// @notice Move `amount` from here to a new account and back.
    /// @param token The token
    /// @param amount What to move, at most what is held here
    function probe(address token, uint256 amount) external returns (Moved memory);
}
