"""The volunteers' group: who belongs to it reads the reference data at the desk of the admin."""

from django.apps import apps as site_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

# The desk decides by roles; Django's table is asked only for the stock lists of reference data.
READS = ["category", "unit", "item", "unitrule", "standard", "substitution", "transportmode", "region", "referenceedition", "trackingcode"]


def make(apps, schema_editor):
    create_permissions(site_apps.get_app_config("supplies"), verbosity=0, apps=apps, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    group, _made = Group.objects.get_or_create(name="volunteers")
    names = [f"view_{model}" for model in READS]
    group.permissions.set(Permission.objects.filter(content_type__app_label="supplies", codename__in=names))


def unmake(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name="volunteers").delete()


class Migration(migrations.Migration):
    dependencies = [("supplies", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [migrations.RunPython(make, unmake)]
