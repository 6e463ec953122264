"""Of goods that are offered there are certificates, test reports and photographs."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the column is looked through without holding up who writes

    dependencies = [
        ('supplies', '0052_drafts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='attachment',
            name='kind',
            field=models.CharField(choices=[('letter', 'letter with a seal'), ('licence', 'practice licence or registration'), ('card', 'staff card or certificate'), ('notice', 'public announcement'), ('list', 'list as it came in'), ('photo', 'photograph of the goods'), ('signature', 'signature of who received the goods'), ('quality', 'certificate of the goods'), ('report', 'test report'), ('expiry', 'photograph of the expiry day'), ('box', 'photograph of the box'), ('other', 'something else')], max_length=10, verbose_name='kind'),
        ),
        migrations.RemoveConstraint(model_name='attachment', name='attachment_kind_is_listed'),
        AddConstraintNotValid(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['letter', 'licence', 'card', 'notice', 'list', 'photo', 'signature', 'quality', 'report', 'expiry', 'box', 'other'])), name='attachment_kind_is_listed'),
        ),
        ValidateConstraint('attachment', 'attachment_kind_is_listed'),
    ]
