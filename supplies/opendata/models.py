"""The key this instance signs its open data with."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies.sealing import Sealed


class SigningKey(models.Model):
    """Made at the first publication, and for good: who subscribes to our data knows us by it.

    A row rather than a file, so that backups, the change of field keys and a second machine all have it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    public = models.CharField(_("public key"), max_length=44, help_text=_("Ed25519, in base64."))
    secret_sealed = models.BinaryField(default=b"", editable=False)
    made_at = models.DateTimeField(_("made"))

    secret = Sealed()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints = [models.CheckConstraint(name="open_data_has_one_signing_key", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return self.public
