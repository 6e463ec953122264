"""A key of a program remembers the day it was last used; when it was made is said by the verb that makes it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supplies", "0002_volunteers")]
    operations = [
        migrations.AddField(
            "apitoken",
            "last_used_on",
            models.DateField(blank=True, editable=False, null=True, verbose_name="last used"),
        ),
        migrations.AlterField("apitoken", "created_at", models.DateTimeField(editable=False, verbose_name="created")),
    ]
