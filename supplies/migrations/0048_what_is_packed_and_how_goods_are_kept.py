"""How many pieces of a promise are in units, so that the database keeps them from being too many; and what the catalogue
says of temperatures and dangerous goods, which stood in the code."""

import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

import supplies.quantity

# What the code said so far: an administrator may have edited these rows, and what she edited is not loaded anew.
KEEP = """
UPDATE supplies_item SET min_temp_c = 2, max_temp_c = 8 WHERE is_cold_chain;
UPDATE supplies_item SET un_number = '1170', hazard_class = '3' WHERE code = 'ALCOHOL75' AND is_dangerous;
UPDATE supplies_item SET un_number = '1072', hazard_class = '2.2' WHERE code = 'O2_CYL' AND is_dangerous;
"""
COUNT = """
UPDATE supplies_allocation allocation SET quantity_packed = packed.pieces
FROM (
    SELECT line.allocation_id, sum(content.quantity) AS pieces
    FROM supplies_unitcontent content
    JOIN supplies_handlingunit unit ON unit.id = content.unit_id AND unit.is_live
    JOIN supplies_shipmentline line ON line.id = content.line_id AND line.is_live
    GROUP BY line.allocation_id
) packed
WHERE packed.allocation_id = allocation.id
"""
HAZARDS = [
    ('1', 'explosives'), ('2.1', 'flammable gases'), ('2.2', 'gases, neither flammable nor toxic'), ('2.3', 'toxic gases'),
    ('3', 'flammable liquids'), ('4.1', 'flammable solids'), ('4.2', 'liable to catch fire by themselves'),
    ('4.3', 'flammable gases with water'), ('5.1', 'oxidising substances'), ('5.2', 'organic peroxides'),
    ('6.1', 'toxic substances'), ('6.2', 'infectious substances'), ('7', 'radioactive material'), ('8', 'corrosive substances'),
    ('9', 'other dangerous goods'),
]


class Migration(migrations.Migration):
    atomic = False  # promises are counted, and looked through, without holding up who writes
    dependencies = [('supplies', '0047_tracking_tells_more')]
    operations = [
        migrations.AddField(
            model_name='item',
            name='min_temp_c',
            field=models.SmallIntegerField(blank=True, null=True, verbose_name='not colder than, °C'),
        ),
        migrations.AddField(
            model_name='item',
            name='max_temp_c',
            field=models.SmallIntegerField(blank=True, null=True, verbose_name='not warmer than, °C'),
        ),
        migrations.AddField(
            model_name='item',
            name='un_number',
            field=models.CharField(blank=True, db_default='', default='', help_text='Only where the name alone decides it: of some goods the strength does.', max_length=4, verbose_name='UN number'),
        ),
        migrations.AddField(
            model_name='item',
            name='hazard_class',
            field=models.CharField(blank=True, choices=HAZARDS, db_default='', default='', max_length=3, verbose_name='class of dangerous goods'),
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('min_temp_c', None), models.Q(('min_temp_c__gte', -200), ('min_temp_c__lte', 100)), _connector='OR'), models.Q(('max_temp_c', None), models.Q(('max_temp_c__gte', -200), ('max_temp_c__lte', 100)), _connector='OR'), models.Q(('min_temp_c', None), ('max_temp_c', None), ('min_temp_c__lte', models.F('max_temp_c')), _connector='OR')), name='item_temperatures_in_order'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hazard_class', ''), ('un_number', '')), models.Q(('hazard_class__in', ['1', '2.1', '2.2', '2.3', '3', '4.1', '4.2', '4.3', '5.1', '5.2', '6.1', '6.2', '7', '8', '9']), ('un_number__regex', '^[0-9]{4}$')), _connector='OR'), name='item_dangerous_with_number_and_class'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('un_number', ''), ('is_dangerous', True), _connector='OR'), name='item_with_a_un_number_is_dangerous'),
        ),
        migrations.AddField(
            model_name='allocation',
            name='quantity_packed',
            field=supplies.quantity.QuantityField(db_default=0, default=0, editable=False, help_text='Pieces that are in handling units of the shipment it is on.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name='packed'),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        AddConstraintNotValid(
            model_name='allocation',
            constraint=models.CheckConstraint(condition=models.Q(('quantity_packed__gte', 0), ('quantity_packed__lte', models.F('quantity'))), name='allocation_not_over_packed'),
        ),
        ValidateConstraint('allocation', 'allocation_not_over_packed'),
    ]
