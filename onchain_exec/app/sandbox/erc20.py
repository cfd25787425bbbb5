"""Tokens on a chain of one's own: out of thin air, allowed, counted."""

from __future__ import annotations

from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import Evm
from onchain_exec.chain import LocalChain
from onchain_exec.core import Address, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256

_BALANCE_OF = Function("balanceOf(address)", "(uint256)")
_APPROVE = Function("approve(address,uint256)", "(bool)")
_TRANSFER = Function("transfer(address,uint256)", "(bool)")
_DEPOSIT = Function("deposit()")
_MINT = Function("mint(address,uint256)")
_MINTER = Address("0x" + "11" * 20)
_GAS_WEI = 10**20


def get_balance(evm: Evm, token: Token, account: Address) -> int:
    """Return what ``account`` holds, in base units."""
    return int(_BALANCE_OF.decode(evm.static_call(token.address, _BALANCE_OF.encode(account)))[0])


def approve(evm: Evm, token: Token, owner: Address, spender: Address) -> None:
    """Let ``spender`` take any amount of ``owner``'s token."""
    evm.call(owner, token.address, _APPROVE.encode(spender, MAX_UINT256))


def fund(evm: Evm, token: Token, account: Address, amount: int) -> None:
    """Give ``account`` base units of a sandbox token: minted, or newly made ether, wrapped.

    Raises:
        RevertError: the token is not one of the sandbox's.
    """
    if token.symbol == "WETH":
        evm.set_balance(_MINTER, amount + _GAS_WEI)
        evm.call(_MINTER, token.address, _DEPOSIT.encode(), amount)
        evm.call(_MINTER, token.address, _TRANSFER.encode(account, amount))
    else:
        evm.set_balance(_MINTER, _GAS_WEI)
        evm.call(_MINTER, token.address, _MINT.encode(account, amount))


def deal(chain: LocalChain, token: Token, account: Address, amount: int) -> None:
    """Give ``account`` base units of any ERC-20, written into its storage: supply stays as it was.

    Raises:
        NodeRefusedError: anvil does not find where the token keeps its balances.
    """
    balance = get_balance(ChainEvm(chain), token, account)
    chain.request("anvil_dealERC20", account, token.address, hex(balance + amount))
