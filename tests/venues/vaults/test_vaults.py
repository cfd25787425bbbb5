"""Vaults and the wrapped coin, against WETH9's and OpenZeppelin's own bytecode."""

from __future__ import annotations

import pool_laws
import pytest
from eth_abi import encode
from evm_reading import perform
from hypothesis import assume, given
from hypothesis import strategies as st
from random_cases import pick_scale
from solidity import compile_source

from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_weth
from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Exact, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import InputError, NoPoolError, PoolRevertError, TokenRefusedError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues import PoolFill, SwapTerms
from onchain_exec.venues.vaults import Erc4626Pool, WrappedNativePool, read_erc4626_pool, read_wrapped_native

CHAIN_ID = 1337
MINT, APPROVE = Function("mint(address,uint256)"), Function("approve(address,uint256)")
TRANSFER = Function("transfer(address,uint256)")
NEVER, OTHER = 2**63, to_address("0x" + "ab" * 20)
ASSET = Token(1, to_address("0x" + "11" * 20), "USDC", 6)
SHARE = Token(1, to_address("0x" + "22" * 20), "vUSDC", 18)
ETH = Token(1, ZERO_ADDRESS, "ETH", 18)


def deploy_vault(evm: LocalEvm, decimals: int, offset: int, fee_bps: int = 0) -> tuple[Token, Token]:
    asset = deploy_token(evm, CHAIN_ID, "AST", decimals)
    arguments = encode(["address", "uint8", "uint256"], [asset.address, offset, fee_bps])
    share = Token(
        CHAIN_ID,
        evm.deploy(compile_source("tests/venues/vaults/Vault.sol") + arguments),
        "VLT",
        decimals + offset,
    )
    evm.call(DEPLOYER, asset.address, MINT.encode(DEPLOYER, 2**200))
    evm.call(DEPLOYER, asset.address, APPROVE.encode(share.address, MAX_UINT256))
    return asset, share


@pytest.mark.parametrize(("decimals", "offset"), [(18, 0), (6, 0), (6, 12), (8, 3)])
def test_swap_equals_the_vaults_own_moves(rng, decimals, offset):
    evm = LocalEvm(CHAIN_ID)
    asset, share = deploy_vault(evm, decimals, offset)
    for _ in range(60):
        if rng.random() < 0.2:  # yield, which makes the ratio odd
            evm.call(DEPLOYER, asset.address, MINT.encode(share.address, pick_scale(rng, 1, 10**20)))
        pool = perform(evm, read_erc4626_pool(share.address))
        deposits, exact = rng.random() < 0.6, rng.choice(list(Exact))
        sides = (asset, share) if deposits else (share, asset)
        counts_assets = deposits is (exact is Exact.IN)
        amount = pick_scale(rng, 1, 10 ** (asset if counts_assets else share).decimals * 10**6)
        expected = pool_laws.outcome(lambda: pool.swap(*sides, amount, exact))  # noqa: B023
        if isinstance(expected, str):
            assert not deposits  # the trader holds assets without end, but only the shares there are
            continue
        terms = SwapTerms(exact, OTHER, NEVER, expected.amount_in, expected.amount_out)
        had = get_balance(evm, sides[0], DEPLOYER), get_balance(evm, sides[1], OTHER)
        evm.call(DEPLOYER, *pool.encode_swap(*sides, terms, DEPLOYER))
        fills = [fill for log in evm.logs if (fill := pool.decode_fill(log)) is not None]
        assert fills == [PoolFill(*sides, expected.amount_in, expected.amount_out)]
        assert had[0] - get_balance(evm, sides[0], DEPLOYER) == expected.amount_in
        assert get_balance(evm, sides[1], OTHER) - had[1] == expected.amount_out
        if deposits:  # whoever got shares hands them on, to be redeemed later
            evm.call(OTHER, share.address, TRANSFER.encode(DEPLOYER, expected.amount_out))
        assert perform(evm, read_erc4626_pool(share.address)) == expected.pool_after


def test_read_of_a_vault_with_a_fee_is_refused():
    evm = LocalEvm(CHAIN_ID)
    _, share = deploy_vault(evm, 18, 0, fee_bps=10)
    with pytest.raises(TokenRefusedError, match="previews other amounts"):
        perform(evm, read_erc4626_pool(share.address))


def test_read_of_what_is_no_vault_is_refused():
    evm = LocalEvm(CHAIN_ID)
    with pytest.raises(InputError):
        perform(evm, read_erc4626_pool(deploy_token(evm, CHAIN_ID, "T", 18).address))


@pytest.mark.parametrize("sells_native", [True, False])
def test_wrapped_native_swap_equals_weth9(rng, sells_native):
    evm = LocalEvm(CHAIN_ID)
    weth = deploy_weth(evm, CHAIN_ID)
    evm.set_balance(DEPLOYER, 10**30)
    evm.call(DEPLOYER, weth.address, Function("deposit()").encode(), 10**20)
    for _ in range(20):
        pool = perform(evm, read_wrapped_native(weth, "ETH"))
        sides = pool.tokens if sells_native else pool.tokens[::-1]
        amount, exact = pick_scale(rng, 1, 10**18), rng.choice(list(Exact))
        done = pool.swap(*sides, amount, exact)
        call = pool.encode_swap(*sides, SwapTerms(exact, DEPLOYER, NEVER, amount, amount), DEPLOYER)
        assert call[2] == (amount if sells_native else 0)
        evm.call(DEPLOYER, *call)
        assert [pool.decode_fill(log) for log in evm.logs] == [PoolFill(*sides, amount, amount)]
        assert evm.get_balance(weth.address) == done.pool_after.held
        assert perform(evm, read_wrapped_native(weth, "ETH")) == done.pool_after


def test_encode_swap_of_the_wrapped_coin_for_another_recipient_is_refused():
    pool = WrappedNativePool(ETH, Token(1, SHARE.address, "WETH", 18), 10**18)
    with pytest.raises(InputError, match="the payer as recipient"):
        pool.encode_swap(*pool.tokens, SwapTerms(Exact.IN, OTHER, NEVER, 1, 1), DEPLOYER)


def test_read_wrapped_native_of_other_decimals_is_refused():
    with pytest.raises(NoPoolError):
        perform(LocalEvm(CHAIN_ID), read_wrapped_native(ASSET, "ETH"))


@st.composite
def vaults(draw) -> Erc4626Pool:
    virtual_assets, virtual_shares = draw(st.sampled_from(((1, 1), (1, 10**12), (0, 0))))
    assets, shares = draw(st.integers(1, 10**30)), draw(st.integers(0, 10**30))
    return Erc4626Pool(ASSET, SHARE, assets, shares, virtual_assets, virtual_shares)


wrappers = st.builds(WrappedNativePool, st.just(ETH), st.just(SHARE), st.integers(0, 10**27))
pools = st.one_of(vaults(), wrappers)
amounts = st.one_of(st.integers(0, 10**6), st.integers(0, MAX_UINT256))


@given(pools, amounts, st.sampled_from(Exact), st.booleans())
def test_quote_is_what_swap_does(pool, amount, exact, there):
    sides = pool.tokens if there else pool.tokens[::-1]
    pool_laws.require_quote_is_swap(pool, sides, amount, exact)


@given(pools, amounts, amounts, st.sampled_from(Exact), st.booleans())
def test_quote_of_more_is_no_less(pool, amount, other, exact, there):
    sides = pool.tokens if there else pool.tokens[::-1]
    pool_laws.require_monotone(pool, sides, (amount, other), exact)


@given(pools, amounts, st.sampled_from(Exact), st.booleans())
def test_swap_there_and_back_never_pays(pool, amount, exact, there):
    # a plain vault that was emptied starts again at one to one, whatever its shares were worth
    assume(isinstance(pool, WrappedNativePool) or pool.virtual_shares)
    sides = pool.tokens if there else pool.tokens[::-1]
    pool_laws.require_no_free_round_trip(pool, sides, amount, exact)


@given(pools)
def test_to_json_survives_text(pool):
    pool_laws.require_json_round_trip(pool)


@given(pools, st.booleans())
def test_depth_is_all_that_fills(pool, there):
    sides = pool.tokens if there else pool.tokens[::-1]
    depth = pool.depth(*sides, 0)
    pool.quote(*sides, depth, Exact.IN)
    assert pool.fee_pips(*sides) == 0
    with pytest.raises(PoolRevertError):
        pool.quote(*sides, MAX_UINT256 + 1, Exact.IN)


def test_spot_price_of_a_vault_without_assets_is_refused():
    with pytest.raises(PoolRevertError):
        Erc4626Pool(ASSET, SHARE, 0, 5, 0, 0).spot_price(ASSET, SHARE)
    assert Erc4626Pool(ASSET, SHARE, 0, 0, 0, 0).spot_price(SHARE, ASSET) == 1
