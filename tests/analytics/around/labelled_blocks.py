"""Blocks of which it is known whether our trade was sandwiched in them, and by whom.

Each builder fills a block around our trade and returns the attackers' transactions before it; none where
nobody attacked us. It returns None where the attack that it tried did not pay: nobody would have made it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from block_world import BlockWorld

from onchain_exec.core.abi import Function
from onchain_exec.venues import Hop

Fronts = frozenset[str]
_MINT = Function("mint(address,int24,int24,uint128,bytes)", "(uint256,uint256)")


def sandwich_by_one(world: BlockWorld) -> Fronts | None:
    (hop,), (attacker, *_) = draw_hops(world, 1), world.strangers
    cost = draw_amount(world, hop)
    front, bought = world.swap(attacker, hop, cost)
    world.trade()
    _, back = world.swap(attacker, reverse(hop), bought)
    return label(back > cost, front.tx_hash)


def sandwich_that_keeps_a_part(world: BlockWorld) -> Fronts | None:
    (hop,), (attacker, *_) = draw_hops(world, 1), world.strangers
    cost = draw_amount(world, hop)
    front, bought = world.swap(attacker, hop, cost)
    world.trade()
    kept = bought * world.rng.randint(1, 25) // 100
    _, back = world.swap(attacker, reverse(hop), bought - kept)
    return label(back * bought > cost * (bought - kept), front.tx_hash)


def sandwich_by_two_accounts(world: BlockWorld) -> Fronts | None:
    """What one bought is handed to the other, who sells it through another contract."""
    (hop,), (buyer, seller, *_) = draw_hops(world, 1), world.strangers
    cost = draw_amount(world, hop)
    front, bought = world.swap(buyer, hop, cost)
    world.hand_over(hop.token_out, buyer, seller, bought)
    world.trade()
    _, back = world.swap(seller, reverse(hop), bought, elsewhere=True)
    return label(back > cost, front.tx_hash)


def sandwich_bought_for_another(world: BlockWorld) -> Fronts | None:
    (hop,), (buyer, seller, *_) = draw_hops(world, 1), world.strangers
    cost = draw_amount(world, hop)
    front, bought = world.swap(buyer, hop, cost, to=seller)
    world.trade()
    _, back = world.swap(seller, reverse(hop), bought)
    return label(back > cost, front.tx_hash)


def sandwich_from_stock(world: BlockWorld) -> Fronts | None:
    """Nothing passes between the two: the seller has had it all along."""
    (hop,), (buyer, seller, *_) = draw_hops(world, 1), world.strangers
    cost = draw_amount(world, hop)
    front, bought = world.swap(buyer, hop, cost)
    world.trade()
    _, back = world.swap(seller, reverse(hop), bought, elsewhere=True)
    return label(back > cost, front.tx_hash)


def sandwich_of_several_pools(world: BlockWorld) -> Fronts | None:
    """One account and one contract for each swap."""
    hops, strangers = draw_hops(world, 2), iter(world.strangers)
    costs = [draw_amount(world, hop) for hop in hops]
    fronts = [(hop, *world.swap(next(strangers), hop, cost)) for hop, cost in zip(hops, costs, strict=True)]
    world.trade()
    pays = [
        world.swap(next(strangers), reverse(hop), bought, elsewhere=True)[1] > cost
        for (hop, _, bought), cost in zip(fronts, costs, strict=True)
    ]
    return label(all(pays), *(front.tx_hash for _, front, _ in fronts))


def sandwich_among_others(world: BlockWorld) -> Fronts | None:
    """Strangers trade before, between and behind."""
    (hop,), (attacker, one, other, third, *_) = draw_hops(world, 1), world.strangers
    world.swap(one, hop, draw_amount(world, hop) // 7)
    cost = draw_amount(world, hop)
    front, bought = world.swap(attacker, hop, cost)
    world.swap(other, hop, draw_amount(world, hop) // 5)
    world.trade()
    world.swap(third, reverse(hop), bought // 3)
    _, back = world.swap(attacker, reverse(hop), bought)
    return label(back > cost, front.tx_hash)


def nobody(world: BlockWorld) -> Fronts:
    world.trade()
    return frozenset()


def unrelated_trades(world: BlockWorld) -> Fronts:
    """Strangers of whom one buys before us and another sells behind us, each his own amount."""
    (hop,), (one, other, *_) = draw_hops(world, 1), world.strangers
    _, bought = world.swap(one, hop, draw_amount(world, hop))
    world.trade()
    world.swap(other, reverse(hop), bought * world.rng.randint(40, 200) // 100)
    return frozenset()


def displacement(world: BlockWorld) -> Fronts:
    (hop,), (stranger, *_) = draw_hops(world, 1), world.strangers
    world.swap(stranger, hop, draw_amount(world, hop))
    world.trade()
    return frozenset()


def market_maker(world: BlockWorld) -> Fronts:
    """One account trades both ways around us; what it sells is not what it bought."""
    (hop,), (maker, *_) = draw_hops(world, 1), world.strangers
    _, bought = world.swap(maker, hop, draw_amount(world, hop))
    world.trade()
    world.swap(maker, reverse(hop), bought * world.rng.randint(20, 300) // 100)
    return frozenset()


def market_maker_in_and_out(world: BlockWorld) -> Fronts:
    """One account buys and sells the same amount, on our other side: before us all of it."""
    (hop,), (maker, *_) = draw_hops(world, 1), world.strangers
    _, bought = world.swap(maker, hop, draw_amount(world, hop))
    world.swap(maker, reverse(hop), bought)
    world.trade()
    return frozenset()


def losing_round(world: BlockWorld) -> Fronts | None:
    """One account sells behind us just what it bought, for less: the fees are more than we moved."""
    (hop,), (stranger, *_) = draw_hops(world, 1), world.strangers
    cost = 8 * hop.amount_in
    _, bought = world.swap(stranger, hop, cost)
    world.trade()
    _, back = world.swap(stranger, reverse(hop), bought)
    return frozenset() if back <= cost else None


def back_run(world: BlockWorld) -> Fronts | None:
    """Somebody brings two pools back in line behind us in one transaction, and gains by it."""
    (hop,), (arbitrageur, *_) = draw_hops(world, 1), world.strangers
    world.trade()
    alike = [
        pool
        for pool in world.pools.values()
        if {hop.token_in, hop.token_out} <= set(pool.tokens) and pool.kind != "wrapped_native"
        and pool.key not in {own.pool.key for own in list_hops(world)}
    ]  # fmt: skip
    if not alike:
        return None
    other = hop._replace(pool=world.rng.choice(alike))
    gained = world.cycle(arbitrageur, (reverse(hop), other), hop.amount_out // 4)
    return frozenset() if gained > 0 else None


def just_in_time_liquidity(world: BlockWorld) -> Fronts | None:
    """Somebody adds liquidity before us in a v2 pair, and takes it back behind us."""
    hops = [hop for hop in list_hops(world) if hop.pool.kind == "uniswap_v2"]
    if not hops:
        return None
    hop, provider = world.rng.choice(hops), world.strangers[0]
    pair = hop.pool
    for token in pair.tokens:
        reserve = pair.reserve0 if token == pair.tokens[0] else pair.reserve1  # type: ignore[attr-defined]
        world.hand_over(token, provider, pair.address, reserve // 3)
    world.send(provider, pair.address, Function("mint(address)", "(uint256)").encode(provider))
    shares = int.from_bytes(
        world.market.evm.static_call(
            pair.address, Function("balanceOf(address)", "(uint256)").encode(provider)
        )
    )
    world.trade()
    world.send(provider, pair.address, Function("transfer(address,uint256)").encode(pair.address, shares))
    world.send(provider, pair.address, Function("burn(address)", "(uint256,uint256)").encode(provider))
    return frozenset()


Builder = Callable[[BlockWorld], Fronts | None]
ATTACKS: Final[tuple[Builder, ...]] = (
    sandwich_by_one,
    sandwich_that_keeps_a_part,
    sandwich_by_two_accounts,
    sandwich_bought_for_another,
    sandwich_from_stock,
    sandwich_of_several_pools,
    sandwich_among_others,
)
PEACE: Final[tuple[Builder, ...]] = (
    nobody,
    unrelated_trades,
    displacement,
    market_maker,
    market_maker_in_and_out,
    losing_round,
    back_run,
    just_in_time_liquidity,
)


def list_hops(world: BlockWorld) -> list[Hop]:
    return [hop for leg in world.legs for hop in leg.hops]


def draw_hops(world: BlockWorld, most: int) -> list[Hop]:
    """Return hops of our trade, in their order."""
    hops = list_hops(world)
    chosen = world.rng.sample(range(len(hops)), min(most, len(hops)))
    return [hops[place] for place in sorted(chosen)]


def draw_amount(world: BlockWorld, hop: Hop) -> int:
    return hop.amount_in * world.rng.randint(20, 150) // 100


def reverse(hop: Hop) -> Hop:
    return hop._replace(token_in=hop.token_out, token_out=hop.token_in)


def label(pays: bool, *fronts: str) -> Fronts | None:
    return frozenset(fronts) if pays else None
