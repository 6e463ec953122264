"""A count can be corrected by another, refused goods have a reason, and every discrepancy a ticket to the sender; what is
under way can be sent on to another facility."""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import supplies.append_only
import supplies.quantity
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0042_units_legs_and_loads'),
    ]

    operations = [
        migrations.CreateModel(
            name='DiscrepancyTicket',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('open', 'waits for the sender'), ('answered', 'answered by the sender'), ('settled', 'settled')], default='open', max_length=8, verbose_name='status')),
                ('opened_at', models.DateTimeField(verbose_name='opened')),
                ('reminded_at', models.DateTimeField(blank=True, null=True, verbose_name='reminded')),
                ('proposed', models.CharField(blank=True, choices=[('replaced', 'replaced by the sender'), ('credited', "back in the sender's stock"), ('written_off', 'written off'), ('carrier', 'the carrier answers for it'), ('kept', 'kept by the hospital'), ('miscounted', 'our count was wrong')], max_length=11, verbose_name='what the sender proposes')),
                ('answer', models.TextField(blank=True, max_length=1000, verbose_name="the sender's answer")),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='answered')),
                ('outcome', models.CharField(blank=True, choices=[('replaced', 'replaced by the sender'), ('credited', "back in the sender's stock"), ('written_off', 'written off'), ('carrier', 'the carrier answers for it'), ('kept', 'kept by the hospital'), ('miscounted', 'our count was wrong')], max_length=11, verbose_name='outcome')),
                ('settlement', models.CharField(blank=True, max_length=300, verbose_name='how it was settled')),
                ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled')),
            ],
            options={
                'verbose_name': 'ticket to a sender',
                'verbose_name_plural': 'tickets to senders',
            },
        ),
        migrations.RemoveConstraint(
            model_name='allocation',
            name='allocation_status_is_listed',
        ),
        migrations.RemoveConstraint(
            model_name='attachment',
            name='attachment_kind_is_listed',
        ),
        migrations.RemoveConstraint(
            model_name='receipt',
            name='receipts_are_only_added',
        ),
        migrations.RemoveConstraint(
            model_name='receiptline',
            name='receipt_line_in_bounds',
        ),
        migrations.RemoveConstraint(
            model_name='receiptline',
            name='receipt_line_adds_up_to_what_was_counted',
        ),
        migrations.RemoveConstraint(
            model_name='receiptline',
            name='receipt_lines_are_only_added',
        ),
        migrations.AddField(
            model_name='allocation',
            name='kept_because',
            field=models.CharField(blank=True, max_length=300, verbose_name='why it is kept though its facility is paused'),
        ),
        migrations.AddField(
            model_name='allocation',
            name='quantity_credited',
            field=supplies.quantity.QuantityField(default=0, editable=False, help_text='Of what was counted, what the donor has again: it never left, or came back.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name="back in the donor's stock"),
        ),
        migrations.AddField(
            model_name='receipt',
            name='because',
            field=models.CharField(blank=True, max_length=300, verbose_name='why it was corrected'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='corrects',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='correction', to='supplies.receipt', verbose_name='corrects the count'),
        ),
        migrations.AddField(
            model_name='receipt',
            name='received_by_sealed',
            field=models.BinaryField(default=b''),
        ),
        migrations.AddField(
            model_name='receiptline',
            name='refusal',
            field=models.CharField(blank=True, choices=[('cold_chain', 'the cold chain was broken'), ('short_dated', 'too little shelf life is left'), ('no_papers', 'papers or labels are missing'), ('suspect', 'suspected to be counterfeit'), ('recalled', 'recalled by its maker'), ('no_room', 'no room, or not needed any more'), ('other', 'another reason')], max_length=12, verbose_name='why refused'),
        ),
        migrations.AddField(
            model_name='receiptline',
            name='refusal_words',
            field=models.CharField(blank=True, max_length=200, verbose_name='why refused, in words'),
        ),
        migrations.AddField(
            model_name='receiptline',
            name='refused',
            field=supplies.quantity.QuantityField(default=0, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name='refused'),
        ),
        migrations.AddField(
            model_name='shipment',
            name='rerouted_because',
            field=models.CharField(blank=True, max_length=300, verbose_name='why it goes to another facility'),
        ),
        migrations.AlterField(
            model_name='allocation',
            name='status',
            field=models.CharField(choices=[('reserved', 'reserved'), ('booked', 'booked on a shipment'), ('shipped', 'shipped'), ('settled', 'counted on arrival'), ('lost', 'lost on the way'), ('returned', 'returned to the donor'), ('released', 'released'), ('rerouted', 'sent on to another facility')], default='reserved', max_length=10, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='attachment',
            name='kind',
            field=models.CharField(choices=[('letter', 'letter with a seal'), ('licence', 'practice licence or registration'), ('card', 'staff card or certificate'), ('notice', 'public announcement'), ('list', 'list as it came in'), ('photo', 'photograph of the goods'), ('signature', 'signature of who received the goods'), ('other', 'something else')], max_length=10, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='discrepancy',
            name='kind',
            field=models.CharField(choices=[('damaged', 'damaged'), ('missing', 'missing'), ('wrong_item', 'wrong item'), ('expired', 'expired'), ('refused', 'refused'), ('surplus', 'more than shipped')], max_length=10, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='receipt',
            name='shipment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='supplies.shipment', verbose_name='shipment'),
        ),
        migrations.AlterField(
            model_name='receiptline',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipt_lines', to='supplies.shipmentline', verbose_name='line'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['reserved', 'booked', 'shipped', 'settled', 'lost', 'returned', 'released', 'rerouted'])), name='allocation_status_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.CheckConstraint(condition=models.Q(('quantity_credited', 0), models.Q(('quantity_credited__gt', 0), ('quantity_credited__lte', models.F('quantity')), ('status', 'settled')), _connector='OR'), name='allocation_credited_once_counted'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['letter', 'licence', 'card', 'notice', 'list', 'photo', 'signature', 'other'])), name='attachment_kind_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=supplies.append_only.OnlyAdded(may_change=('note', 'because', 'received_by_sealed'), name='receipts_are_only_added'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(condition=models.Q(('corrects', None)), fields=('shipment',), name='shipment_first_counted_once'),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.CheckConstraint(condition=models.Q(('corrects', None), models.Q(('because', ''), _negated=True), _connector='OR'), name='receipt_says_why_it_corrects'),
        ),
        migrations.AddConstraint(
            model_name='receiptline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('shipped', None), models.Q(('shipped__gte', 0), ('shipped__lte', 10000000000)), _connector='OR'), models.Q(('counted', None), models.Q(('counted__gte', 0), ('counted__lte', 10000000000)), _connector='OR'), models.Q(('accepted', None), models.Q(('accepted__gte', 0), ('accepted__lte', 10000000000)), _connector='OR'), models.Q(('damaged', None), models.Q(('damaged__gte', 0), ('damaged__lte', 10000000000)), _connector='OR'), models.Q(('wrong_item', None), models.Q(('wrong_item__gte', 0), ('wrong_item__lte', 10000000000)), _connector='OR'), models.Q(('expired', None), models.Q(('expired__gte', 0), ('expired__lte', 10000000000)), _connector='OR'), models.Q(('refused', None), models.Q(('refused__gte', 0), ('refused__lte', 10000000000)), _connector='OR'), models.Q(('missing', None), models.Q(('missing__gte', 0), ('missing__lte', 10000000000)), _connector='OR'), models.Q(('surplus', None), models.Q(('surplus__gte', 0), ('surplus__lte', 10000000000)), _connector='OR')), name='receipt_line_in_bounds'),
        ),
        migrations.AddConstraint(
            model_name='receiptline',
            constraint=models.CheckConstraint(condition=models.Q(('counted', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('accepted'), '+', models.F('damaged')), '+', models.F('wrong_item')), '+', models.F('expired')), '+', models.F('refused')))), name='receipt_line_adds_up_to_what_was_counted'),
        ),
        migrations.AddConstraint(
            model_name='receiptline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('refusal', ''), ('refusal_words', ''), ('refused', 0)), models.Q(('refusal__in', ['cold_chain', 'short_dated', 'no_papers', 'suspect', 'recalled', 'no_room']), ('refused__gt', 0)), models.Q(('refusal', 'other'), ('refused__gt', 0), models.Q(('refusal_words', ''), _negated=True)), _connector='OR'), name='receipt_line_is_refused_for_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='receiptline',
            constraint=models.UniqueConstraint(fields=('receipt', 'line'), name='receipt_counts_a_line_once'),
        ),
        migrations.AddConstraint(
            model_name='receiptline',
            constraint=supplies.append_only.OnlyAdded(may_change=('refusal_words',), name='receipt_lines_are_only_added'),
        ),
        migrations.AddField(
            model_name='discrepancyticket',
            name='answered_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='answered by'),
        ),
        migrations.AddField(
            model_name='discrepancyticket',
            name='discrepancy',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='ticket', to='supplies.discrepancy', verbose_name='discrepancy'),
        ),
        migrations.AddField(
            model_name='discrepancyticket',
            name='settled_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='settled by'),
        ),
        migrations.AddField(
            model_name='discrepancyticket',
            name='shipment',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='supplies.shipment', verbose_name='shipment'),
        ),
        migrations.AddIndex(
            model_name='discrepancyticket',
            index=models.Index(fields=['-opened_at', '-id'], name='ticket_newest'),
        ),
        migrations.AddIndex(
            model_name='discrepancyticket',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['opened_at'], name='ticket_waits'),
        ),
        migrations.AddConstraint(
            model_name='discrepancyticket',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'answered', 'settled'])), name='ticket_status_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='discrepancyticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ['replaced', 'credited', 'written_off', 'carrier', 'kept', 'miscounted']), ('settled_at__isnull', False), ('status', 'settled')), models.Q(models.Q(('status', 'settled'), _negated=True), ('outcome', ''), ('settled_at', None)), _connector='OR'), name='ticket_settled_has_an_outcome'),
        ),
        migrations.AddConstraint(
            model_name='discrepancyticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None), ('proposed', '')), models.Q(('answered_at__isnull', False), ('proposed__in', ['replaced', 'credited', 'written_off', 'carrier', 'kept', 'miscounted'])), _connector='OR'), name='ticket_answered_says_what'),
        ),
    ]
