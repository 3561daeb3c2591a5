"""区の台帳の MetaData と、どの仕事にも要る表。"""

from benefit.domain.access import WardRole
from benefit.store.access import access_tables
from benefit.store.audit_tables import audit_tables
from benefit.store.base import new_metadata

metadata = new_metadata()
audit_log, audit_anchor, foreign_anchor, log_report, log_report_signature = audit_tables(metadata)
access = access_tables(metadata, "ward", [role.value for role in WardRole], audit_log)
staff = access.staff
