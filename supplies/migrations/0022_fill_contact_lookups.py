"""Contacts kept so far can be found by their number too."""

from django.db import migrations

from supplies.sealing import lookup, unseal
from supplies.organisations.models import numbers_of, words_of

BATCH = 500


def fill(apps, schema_editor):
    contacts = apps.get_model("supplies", "Contact").objects.using(schema_editor.connection.alias)
    batch = []
    for contact in contacts.order_by("pk").iterator(BATCH):
        for name, found_by in (("phone", numbers_of), ("email", words_of)):
            text = unseal(getattr(contact, f"{name}_sealed"), context=f"supplies_contact:{name}:{contact.pk}")
            setattr(contact, f"{name}_lookup", [lookup(value) for value in found_by(text)])
        batch.append(contact)
        if len(batch) == BATCH:
            contacts.bulk_update(batch, ["phone_lookup", "email_lookup"])
            batch.clear()
    contacts.bulk_update(batch, ["phone_lookup", "email_lookup"])


class Migration(migrations.Migration):
    dependencies = [("supplies", "0021_contact_lookups")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
