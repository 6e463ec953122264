"""Everything the database holds, as text to be searched: each row of each table, and what sessions hold unpacked."""

from django.db import connection

from supplies.accounts.models import Session


def everything_stored() -> str:
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT stored::text FROM "{table}" AS stored')
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join([*found, *(str(session.get_decoded()) for session in Session.objects.all())])
