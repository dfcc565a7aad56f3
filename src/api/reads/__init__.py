"""Everything that can be read, by what it is read from."""

from fastapi import APIRouter

from api.reads.accesses import add_access_reads
from api.reads.history import add_history_reads
from api.reads.permissions import add_permission_reads
from api.reads.pipeline import add_pipeline_reads
from api.reads.projections import add_projection_reads
from api.reads.proof import add_proof_reads
from api.reads.receivables import add_receivable_reads
from api.reads.records import add_record_reads
from api.reads.tracking import add_tracking_reads


def add_reads(router: APIRouter) -> None:
    """Puts all reads on the router."""
    add_tracking_reads(router)
    add_record_reads(router)
    add_history_reads(router)
    add_proof_reads(router)
    add_pipeline_reads(router)
    add_receivable_reads(router)
    add_projection_reads(router)
    add_permission_reads(router)
    add_access_reads(router)
