"""What a person may be in an organisation."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    HOSPITAL = "hospital", _("hospital")
    DONOR = "donor", _("donor")
    CARRIER = "carrier", _("carrier")
    VOLUNTEER = "volunteer", _("volunteer")
    COORDINATOR = "coordinator", _("coordinator")
    AUDITOR = "auditor", _("auditor")
    ADMIN = "admin", _("administrator")
