"""区の台帳の MetaData と、どの仕事にも要る表。"""

from benefit.domain.access import WardRole
from benefit.store.base import audit_table, new_metadata, staff_table

metadata = new_metadata()
staff = staff_table(metadata, [role.value for role in WardRole])
audit_log = audit_table(metadata)
