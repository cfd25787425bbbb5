// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What a token really moves
/// @notice Holds no state and is never deployed: `eth_call` puts its runtime bytecode, through a state
/// override, at an account that holds the token, so that it moves that account's balance.
interface ITokenProbe {
    /// @notice What became of a part of the balance, in base units.
    /// @param held What the holder has
    /// @param sent What the holder lost when it gave the part to a stranger
    /// @param received What the stranger then had
    /// @param returned What the holder got when the stranger gave all of it back
    /// @param failed Whether one of the two transfers reverted or answered false; what comes after it is 0
    /// @param reason What the token answered then
    struct Moved {
        uint256 held;
        uint256 sent;
        uint256 received;
        uint256 returned;
        bool failed;
        bytes reason;
    }

    /// @notice Move a part of what is held here to a new account and back; nothing if the part is 0.
    /// @param token The token
    /// @param share The part: the balance divided by it, rounded down
    function probe(address token, uint256 share) external returns (Moved memory);
}
