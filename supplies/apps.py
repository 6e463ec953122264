from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SuppliesConfig(AppConfig):
    name = "supplies"
    verbose_name = _("Supplies")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import supplies.desks.outlines
        import supplies.privacy.checks  # noqa: F401
