"""The App's webhook: its deliveries, listed and made again.

https://docs.github.com/rest/apps/webhooks. Deliveries are kept for three days.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.fakes.github.replies import Refused, Reply, Route

if TYPE_CHECKING:
    from tests.fakes.github.deliveries import Delivery
    from tests.fakes.github.replies import Incoming
    from tests.fakes.github.world import World

KEPT = timedelta(days=3)


async def list_deliveries(world: World, call: Incoming) -> Reply:
    """``GET /app/hook/deliveries``: newest first, in pages by cursor."""
    size = min(int(call.query.get("per_page", "30")), 100)
    wanted = {"success": range(200, 400), "failure": range(400, 600)}.get(
        call.query.get("status", ""), range(600)
    )
    shaped = [delivery.shape() for delivery in reversed(_kept(world))]
    listed = [item for item in shaped if item["status_code"] in wanted]
    cursor = call.query.get("cursor")
    if cursor is not None:
        if not cursor.startswith("v1_") or not cursor[3:].isdecimal():
            raise Refused(400, "Invalid cursor")
        listed = [item for item in listed if item["id"] <= int(cursor[3:])]
    page, rest = listed[:size], listed[size:]
    if not rest:
        return Reply(200, page)
    query = {**call.query, "cursor": f"v1_{rest[0]['id']}"}
    return Reply(200, page, {"Link": f'<{call.url}?{urlencode(query)}>; rel="next"'})


async def redeliver(world: World, call: Incoming) -> Reply:
    """``POST /app/hook/deliveries/{delivery_id}/attempts``: made by the server, after this."""
    number = call.number("delivery_id")
    if all(delivery.id != number for delivery in _kept(world)):
        raise Refused(404, "Not Found")
    return Reply(202, {})


def _kept(world: World) -> list[Delivery]:
    since = world.now() - KEPT
    return [one for one in world.deliveries if one.is_over and one.at >= since]


ROUTES = (
    Route("GET", "/app/hook/deliveries", list_deliveries),
    Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", redeliver),
)
