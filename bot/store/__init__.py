"""The only door to the database."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError as DatabaseError

from bot.store.acceptance import Accepted
from bot.store.comments import Contested, PostedComments
from bot.store.configurations import RightConfigurations
from bot.store.database import Database
from bot.store.deliveries import Deliveries, Delivery, Handled
from bot.store.directories import LeftDirectories, LeftDirectory
from bot.store.documents import Documents
from bot.store.failed_deliveries import FailedDeliveries, FailedDelivery
from bot.store.job_ids import JobIds
from bot.store.jobs import Job, Jobs
from bot.store.leases import Lease, Leases
from bot.store.outages import Outages
from bot.store.pruning import Pruning
from bot.store.queue import Queue
from bot.store.queued_deliveries import QueuedDeliveries
from bot.store.repository_jobs import RepositoryJobs
from bot.store.runs import Runs
from bot.store.state_directory import is_served, make_state_directory, only_process
from bot.store.watermarks import Turns, Watermarks
from bot.store.workers import WorkerRow, Workers

__all__ = [
    "Accepted",
    "Contested",
    "Database",
    "DatabaseError",
    "Deliveries",
    "Delivery",
    "Documents",
    "FailedDeliveries",
    "FailedDelivery",
    "Handled",
    "Job",
    "JobIds",
    "Jobs",
    "Lease",
    "Leases",
    "LeftDirectories",
    "LeftDirectory",
    "Outages",
    "PostedComments",
    "Pruning",
    "Queue",
    "QueuedDeliveries",
    "RepositoryJobs",
    "RightConfigurations",
    "Runs",
    "Turns",
    "Watermarks",
    "WorkerRow",
    "Workers",
    "is_served",
    "make_state_directory",
    "only_process",
]
