"""区の台帳の MetaData と、どの仕事にも要る表。"""

from benefit.domain.access import WardRole
from benefit.store.audit_tables import audit_tables
from benefit.store.base import new_metadata, staff_table

metadata = new_metadata()
staff = staff_table(metadata, [role.value for role in WardRole])
audit_log, audit_anchor, foreign_anchor, log_report, log_report_signature = audit_tables(metadata)
