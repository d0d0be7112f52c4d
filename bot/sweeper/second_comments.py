"""Comments that more than one has tried to post are looked at again: a late one is deleted.

A frozen process may be killed as soon as it wakes up, and a request may be on the way when its
process dies. What it posts then nobody else sees, unless somebody looks after it has arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import GitHubRejected
from bot.sweeper.apart import apart

if TYPE_CHECKING:
    from bot.posting import Posting
    from bot.store import Contested, PostedComments

SECOND_LOOK_REFUSED = "second_look_refused"

_AT_ONCE = 20
"""Comments of one pass."""

_log = structlog.stdlib.get_logger(__name__)


class SecondComments:
    """The pass over the comments that there may be two of."""

    def __init__(self, posting: Posting, comments: PostedComments) -> None:
        """Look through ``posting`` at what these comments say is contested."""
        self._posting = posting
        self._comments = comments

    async def run(self) -> dict[str, int]:
        """Look at those that are due; return how many second ones there were."""
        due = await self._comments.contested(limit=_AT_ONCE)
        return {"taken_back": await apart({one.marker: self._look(one) for one in due})}

    async def _look(self, contested: Contested) -> int:
        try:
            taken_back = await self._posting.look_again(contested)
        except GitHubRejected as error:
            _log.warning(SECOND_LOOK_REFUSED, comment=contested.comment_id, reason=str(error))
            await self._comments.looked(contested.marker, finally_=True)
            return 0
        await self._comments.looked(contested.marker)
        return taken_back
