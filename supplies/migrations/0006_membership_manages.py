from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supplies", "0005_api_token_expiry_required")]
    operations = [
        migrations.AddField(
            "membership",
            "is_manager",
            models.BooleanField(
                default=False,
                help_text="Invites others to act for the organisation, and dismisses them.",
                verbose_name="manages",
            ),
        ),
    ]
