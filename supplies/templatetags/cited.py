"""How pages name the source of a rule of the catalogue."""

from django import template

from supplies.catalogue.services import citations

register = template.Library()
register.filter("citations", citations)
