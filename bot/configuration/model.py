"""The keys of ``.github/ptq.yml``, typed; every one of them may be missing."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.models import IncludeComments, JobOptions, Permission

LONGEST_LABEL = 50
"""GitHub's limit on a label's name."""
_MOST_LABELS = 20
_MOST_PATTERNS = 100
_MOST_GPU_TYPES = 32
_MOST_NOTIFIED = 10
_WILDCARDS = 6
"""Of one pattern: the time that matching takes grows with each."""


def _above_reading(permission: Permission) -> Permission:
    """Everybody reads a public repository: a GPU for everybody is nothing a file can give away."""
    if not permission.covers(Permission.TRIAGE):
        message = "takes `triage`, `write`, `maintain` or `admin`"
        raise ValueError(message)
    return permission


def _few_wildcards(pattern: str) -> str:
    if sum(pattern.count(mark) for mark in ("*", "?")) - pattern.count("**") > _WILDCARDS:
        message = f"has more than {_WILDCARDS} wildcards"
        raise ValueError(message)
    return pattern


LabelName = Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)]
CommandText = Annotated[str, Field(min_length=1, max_length=4000)]
Glob = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_few_wildcards)]
GpuType = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Login = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$")]
Minimum = Annotated[
    Permission,
    AfterValidator(_above_reading),
    Field(json_schema_extra={"enum": ["triage", "write", "maintain", "admin"]}),
]


class Part(BaseModel):
    """A frozen group of keys that knows no others; what stands over a key is in the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Limits(Part):
    """The most of one job, and of jobs at once; the operator's own limits hold beside these."""

    hours: float | None = Field(default=None, gt=0, le=24)
    """Hours that the machine is kept."""
    gpus: int | None = Field(default=None, ge=1, le=16)
    """GPUs."""
    usd: float | None = Field(default=None, gt=0, le=1000)
    """US dollars spent on the model."""
    jobs: int | None = Field(default=None, ge=1, le=1000)
    """Jobs of this repository that have a machine at once; the others wait."""
    jobs_per_person: int | None = Field(default=None, ge=1, le=1000)
    """The same of one person."""


class Paths(Part):
    """Glob patterns of what a patch may touch; `**` crosses directories, `*` does not."""

    allow: tuple[Glob, ...] | None = Field(default=None, min_length=1, max_length=_MOST_PATTERNS)
    """What a file must match one of, instead of the operator's own list."""
    deny: tuple[Glob, ...] = Field(default=(), max_length=_MOST_PATTERNS)
    """What no file may match, beside the operator's own list."""


class Outcomes(Part):
    """The label that a job puts on its issue at its end; the next run replaces it."""

    reproduced: LabelName | None = None
    """The bug was seen. Also for a fix, where `fixed` names no label."""
    not_reproduced: LabelName | None = None
    """The bug was not seen."""
    fixed: LabelName | None = None
    """The bug was seen, and a patch mends it."""
    needs_information: LabelName | None = None
    """The bug was not seen, and the issue lacks something. Without it: `not_reproduced`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every label that is named here."""
        named = (self.reproduced, self.not_reproduced, self.fixed, self.needs_information)
        return tuple(dict.fromkeys(name for name in named if name is not None))


class RepositoryConfiguration(Part):
    """How ptq works in this repository. Every key is optional."""

    enabled: bool = True
    """Whether commands are carried out at all."""
    permission: Minimum = Permission.WRITE
    """What a person must be allowed to do here to ask for a GPU."""
    labels: dict[LabelName, CommandText] = Field(
        default_factory=lambda: {
            "ptq": "investigate",
            "ptq-repro": "investigate --mode reproduce",
        },
        max_length=_MOST_LABELS,
    )
    """Label → the command that putting it on an issue gives, without `/ptq`."""
    defaults: JobOptions = JobOptions()
    """Options of a job, where the command does not say them."""
    limits: Limits = Limits()
    """The most of one job, and of jobs at once."""
    gpu_types: tuple[GpuType, ...] | None = Field(
        default=None, min_length=1, max_length=_MOST_GPU_TYPES
    )
    """The kinds of GPU that may be asked for; the first is the default."""
    paths: Paths = Paths()
    """What a patch may touch."""
    comments: IncludeComments = IncludeComments.TRUSTED
    """Which comments the agent reads, where the command does not say it."""
    base_branch: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")
    """The branch that pull requests are made against; without it, the default branch."""
    notify: tuple[Login, ...] = Field(default=(), max_length=_MOST_NOTIFIED)
    """Logins to be mentioned at the end of a job; taken, and not acted on yet."""
    outcomes: Outcomes = Outcomes()
    """Labels that tell how a job ended; without this key none is put."""

    def job_options(self) -> JobOptions:
        """Return the options of a job that says nothing itself."""
        said = {name: getattr(self.defaults, name) for name in self.defaults.model_fields_set}
        return JobOptions().model_copy(update={"include_comments": self.comments} | said)

    def command_of(self, label: str) -> str | None:
        """Return the command that a label stands for; GitHub's labels count in any case."""
        known = {name.casefold(): text for name, text in self.labels.items()}
        return known.get(label.casefold())
