"""The volunteers' group: who belongs to it works at the desk of the admin."""

from django.apps import apps as site_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

READS = ["appeal", "need", "donation", "offer", "organisation", "facility", "allocation", "shipment", "receipt", "item", "category",
         "standard", "substitution", "region", "emergency", "verification", "import", "importedrow", "event", "discrepancy", "trackingevent"]
CHANGES = ["appeal", "need", "donation", "offer", "organisation", "facility", "shipment", "import", "importedrow"]


def make(apps, schema_editor):
    create_permissions(site_apps.get_app_config("supplies"), verbosity=0, apps=apps, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    group, _made = Group.objects.get_or_create(name="volunteers")
    names = [f"view_{model}" for model in READS] + [f"change_{model}" for model in CHANGES]
    group.permissions.set(Permission.objects.filter(content_type__app_label="supplies", codename__in=names))


def unmake(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name="volunteers").delete()


class Migration(migrations.Migration):
    dependencies = [("supplies", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [migrations.RunPython(make, unmake)]
