"""Which machines the settings lend, and what is said of any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cli.machine_side import LOCAL
from bot.errors import CommandError

if TYPE_CHECKING:
    from bot.settings import Settings

_STANZA = """\
there is no machine {name} in the settings. Write it into the file that PTQ_CONFIG names:

  provider = "pool"

  [[machines]]
  name = "my-gpu"
  host = "{host}"
  port = {port}
  user = "{user}"
  key = "~/.ssh/id_ed25519"
  known_hosts = "~/.ssh/known_hosts"
  gpu_type = "h100"
  gpus = 1

Its host key must stand in that known_hosts file: log in once by hand and compare it."""


def require_lent(settings: Settings, name: str) -> None:
    """Raise CommandError for a machine that no job can be on."""
    lent = [LOCAL] if settings.provider == "local" else [one.name for one in settings.machines]
    if name not in lent:
        raise CommandError(_not_lent(name, lent))


def _not_lent(name: str, lent: list[str]) -> str:
    if name == LOCAL:
        return f"PTQ_PROVIDER lends {', '.join(lent)}: with PTQ_PROVIDER=local it is this computer"
    user, at, place = name.rpartition("@")
    host, _, port = place.partition(":")
    if at:
        return _STANZA.format(name=name, user=user, host=host, port=port or 22)
    return f"the settings lend no machine {name}: there is {', '.join(lent)}"
