"""The best route for a swap, or for several tokens at once, with its certificate."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import BlockRef, Exact
from onchain_exec.errors import InputError, StaleStateError
from onchain_exec.routing.basket import Basket, BasketRoute
from onchain_exec.routing.route import GasModel, Options, Route, Shape, Terms
from onchain_exec.routing.search import Found, Search
from onchain_exec.routing.solver.network import Network
from onchain_exec.venues import PoolSet

_NO_GAS: Final = GasModel()
_DEFAULTS: Final = Options()
_GRAPH: Final = Options(shape=Shape.GRAPH)


def find_route(
    terms: Terms,
    pools: PoolSet | Network,
    gas: GasModel = _NO_GAS,
    *,
    block: BlockRef | None = None,
    options: Options = _DEFAULTS,
) -> Route:
    """Return the route that is worth most after gas, in exact integers, with its certificate.

    Exact.IN maximises what comes out, Exact.OUT minimises what goes in; either way the result is
    not worth less after gas than the best single path of two hops. The same input gives the same
    route. For many orders at one block build the `Network` once and pass it.

    Raises:
        InputError: the terms trade a token for itself, or nothing; or cycles are asked for with
            Exact.OUT.
        StaleStateError: ``block`` is given and the pools were read at another.
        NoPoolError: no pool connects the tokens.
        NoRouteError: pools connect them, but none can fill the amount.
    """
    network, found = _search(Basket.of(terms), pools, gas, block, options)
    return Route(
        block=network.block,
        token_in=terms.token_in,
        token_out=terms.token_out,
        exact=terms.exact,
        amount_in=-found.settled.bought(terms.token_in),
        amount_out=found.settled.bought(terms.token_out),
        legs=found.settled.legs,
        best_single_amount=found.best_single_amount,
        gas_units=found.settled.gas_units,
        certificate=found.certificate,
    )


def find_basket_route(
    basket: Basket,
    pools: PoolSet | Network,
    gas: GasModel = _NO_GAS,
    *,
    block: BlockRef | None = None,
    options: Options = _GRAPH,
) -> BasketRoute:
    """Return the route that trades all of ``basket`` at once and is worth most after gas; see `find_route`.

    A token of the basket may be sold by way of another one, and flows of several share pools. With
    Exact.IN a token is left alone where that is worth more; with Exact.OUT all are bought.

    Raises:
        InputError: the basket is not sound (`Basket.require_sound`), or ``options`` ask for another shape
            than `Shape.GRAPH`; and as `find_route`.
        StaleStateError, NoPoolError, NoRouteError: as `find_route`, for any token of the basket.
    """
    if options.shape is not Shape.GRAPH:
        raise InputError(f"a basket in {options.shape.value}", needed="Shape.GRAPH: its flows merge")
    network, found = _search(basket, pools, gas, block, options)
    sold = {token: -found.settled.bought(token) for token in basket.tokens_in}
    return BasketRoute(
        block=network.block,
        exact=basket.exact,
        amounts_in={token: amount for token, amount in sold.items() if amount},
        amounts_out={token: found.settled.bought(token) for token in basket.tokens_out},
        legs=found.settled.legs,
        gas_units=found.settled.gas_units,
        certificate=found.certificate,
    )


def _search(
    basket: Basket, pools: PoolSet | Network, gas: GasModel, block: BlockRef | None, options: Options
) -> tuple[Network, Found]:
    _require_sound(basket, pools.block, block, options)
    network = pools if isinstance(pools, Network) else Network.build(pools)
    return network, Search(basket, network, gas, options).run()


def _require_sound(basket: Basket, found: BlockRef, block: BlockRef | None, options: Options) -> None:
    basket.require_sound()
    if options.cycles and basket.exact is Exact.OUT:
        raise InputError(
            "cycles are allowed for an exact amount out",
            needed="an exact amount in: only then is it certain what an arbitrage on the way adds",
            todo="Give amount_in, or search without cycles",
        )
    if block is not None and block != found:
        raise StaleStateError(
            f"the pools were read at {found}",
            needed=f"pools at {block}",
            todo="Read the pools again at the block of the decision",
        )
