"""What can be asked for: items, the units they are counted in, the standards they meet, what replaces what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import CheckConstraint, F, Func, Q, UniqueConstraint, Value
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.keeping import HazardClass, dangerous_with_number_and_class, temperatures_in_order
from supplies.editions.models import Bilingual, ReferenceRow, in_readers_language
from supplies.editions.models import ReferenceEdition as ReferenceEdition
from supplies.quantity import MOST


class Category(Bilingual, ReferenceRow):
    code = models.CharField(_("code"), max_length=30, primary_key=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")


class UnitKind(models.TextChoices):
    COUNT = "count", _("number of pieces")
    VOLUME = "volume", _("volume")
    MASS = "mass", _("mass")
    PACKAGE = "package", _("package")


class Unit(Bilingual, ReferenceRow):
    """What is counted: a piece, a single glove, a millilitre; or a package that holds such units."""

    code = models.CharField(_("code"), max_length=20, primary_key=True)
    rec20 = models.CharField(_("UN/CEFACT Rec 20 code"), max_length=3, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=UnitKind)

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            CheckConstraint(name="unit_kind_is_known", condition=Q(kind__in=UnitKind.values)),
        ]


class ItemQuerySet(models.QuerySet["Item"]):
    def active(self) -> ItemQuerySet:
        return self.filter(is_active=True)

    def in_category(self, category: Category | str) -> ItemQuerySet:
        return self.filter(category=category)

    def codes_in(self, category: Category | str) -> list[str]:
        """Codes of what is in a category, looked up to narrow other rows by: joined, PostgreSQL takes every category to be as
        common as another, and walks through all needs in the list's order for one of which nothing is open."""
        return list(self.in_category(category).values_list("pk", flat=True))

    def known_as(self, text: str) -> ItemQuerySet:
        """Items whose code, name or synonym is exactly this text, whatever its case or width."""
        words = Func(
            *("code", "name_zh", "name_en", Func("synonyms", Value("|"), function="array_to_string")),
            template="'|' || concat_ws('|', %(expressions)s) || '|'",
            output_field=models.TextField(),
        )
        return self.alias(words=words).filter(words__holds=f"|{text.strip()}|")

    def mentioning(self, text: str) -> ItemQuerySet:
        """Items of which this is part of a name, or a whole code or synonym: what people mean who search for it."""
        part = Q(name_zh__holds=text) | Q(name_en__holds=text)
        return self.filter(part | Q(pk__in=Item.objects.known_as(text)))

    def by_category(self) -> ItemQuerySet:
        return self.order_by("category__position", "code")


class Item(Bilingual, ReferenceRow):
    """An entry of the catalogue. Every quantity of it is a whole number of its `base_unit`."""

    code = models.CharField(
        _("code"),
        max_length=30,
        primary_key=True,
        validators=[  # it stands in the journal, which holds ids and numbers only
            RegexValidator(
                r"^[A-Za-z0-9_.-]+$", _("Use Latin letters, digits, dots, dashes and underscores.")
            )
        ],
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, related_name="items", verbose_name=_("category")
    )
    synonyms = ArrayField(
        models.CharField(max_length=80), verbose_name=_("synonyms"), default=list, blank=True
    )
    ambiguous_with = models.ManyToManyField(
        "self",
        blank=True,
        symmetrical=True,
        verbose_name=_("easily confused with"),
        help_text=_("A word that may mean either is asked about, never guessed."),
    )
    base_unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("smallest counted unit"),
        help_text=_("Piece, single glove or shoe, millilitre, gram, tablet, vial, test, dose."),
    )
    display_unit = models.ForeignKey(
        Unit, on_delete=models.PROTECT, related_name="+", verbose_name=_("shown in")
    )
    display_factor = models.PositiveIntegerField(
        _("base units in one shown unit"), default=1, help_text=_("2 for a pair of gloves.")
    )
    unspsc = models.CharField(_("UNSPSC code"), max_length=8, blank=True)
    hs6 = models.CharField(_("HS 2017 heading"), max_length=7, blank=True)
    gtin = models.CharField(_("GTIN"), max_length=14, blank=True)
    is_medicine = models.BooleanField(_("medicine"), default=False)
    is_cold_chain = models.BooleanField(_("cold chain"), default=False)
    is_dangerous = models.BooleanField(_("dangerous goods"), default=False)
    min_temp_c = models.SmallIntegerField(_("not colder than, °C"), null=True, blank=True)
    max_temp_c = models.SmallIntegerField(_("not warmer than, °C"), null=True, blank=True)
    un_number = models.CharField(
        _("UN number"),
        max_length=4,
        blank=True,
        db_default="",
        default="",
        help_text=_("Only where the name alone decides it: of some goods the strength does."),
    )
    hazard_class = models.CharField(
        _("class of dangerous goods"),
        max_length=3,
        choices=HazardClass,
        blank=True,
        db_default="",
        default="",
    )
    needs_medical_grade = models.BooleanField(_("medical grade needed"), default=False)
    needs_pack_content = models.BooleanField(
        _("ask what a pack holds"),
        default=False,
        help_text=_("Bottles, drums and medicine boxes say nothing until their content is stated."),
    )
    min_shelf_days = models.PositiveIntegerField(_("shelf life left on arrival, days"), default=30)
    plausible_min = models.BigIntegerField(
        _("least plausible quantity"), default=1, help_text=_("Of one need line, in base units.")
    )
    plausible_max = models.BigIntegerField(
        _("greatest plausible quantity"), help_text=_("Of one need line, in base units.")
    )
    assumed_quantity = models.BigIntegerField(
        _("assumed quantity"),
        help_text=_("What a need without a number is matched up to, in base units."),
    )
    assumed_because = models.CharField(_("how the assumed quantity was found"), max_length=300, blank=True)
    assumed_because_zh = models.CharField(
        _("how it was found, in Chinese"), max_length=300, blank=True, db_default="", default=""
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    note_zh = models.CharField(_("note in Chinese"), max_length=300, blank=True, db_default="", default="")
    is_active = models.BooleanField(_("active"), default=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        constraints = [
            CheckConstraint(name="item_is_shown_in_whole_units", condition=Q(display_factor__gt=0)),
            CheckConstraint(
                name="item_assumes_a_plausible_quantity",
                condition=Q(plausible_min__gte=1)
                & Q(assumed_quantity__gte=F("plausible_min"))
                & Q(assumed_quantity__lte=F("plausible_max"))
                & Q(plausible_max__lte=MOST),
            ),
            temperatures_in_order("item_temperatures_in_order"),
            dangerous_with_number_and_class("item_dangerous_with_number_and_class"),
            CheckConstraint(
                name="item_with_a_un_number_is_dangerous", condition=Q(un_number="") | Q(is_dangerous=True)
            ),
        ]

    @property
    def note_shown(self) -> str:
        return in_readers_language(self.note_zh, self.note)

    @property
    def assumed_because_shown(self) -> str:
        return in_readers_language(self.assumed_because_zh, self.assumed_because)

    def shown(self, quantity: int) -> Decimal:
        """A quantity of base units as people read it: 100 single gloves are 50 pairs."""
        return Decimal(quantity) / self.display_factor

    def written(self, quantity: int) -> str:
        """The same as a plain decimal string, never with an exponent."""
        return f"{self.shown(quantity).normalize():f}"

    def is_plausible(self, quantity: int) -> bool:
        return self.plausible_min <= quantity <= self.plausible_max


class UnitRule(ReferenceRow):
    """How a spoken unit of an item is counted in the item's smallest unit.

    `spoken` lists the words in Chinese and English. The rule holds for `items`; where it names none, for the
    items counted in `base_unit`; without either, for all. The narrower rule wins.
    One spoken unit holds numerator/denominator base units, or, for a package, whatever the giver states.
    """

    code = models.CharField(_("code"), max_length=40, primary_key=True)
    spoken = ArrayField(models.CharField(max_length=20), verbose_name=_("spoken as"))
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+", verbose_name=_("means"))
    base_unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("for items counted in"),
    )
    items = models.ManyToManyField(Item, blank=True, related_name="unit_rules", verbose_name=_("only for"))
    is_package = models.BooleanField(_("package, content to be stated"), default=False)
    numerator = models.BigIntegerField(_("base units"), null=True, blank=True)
    denominator = models.BigIntegerField(_("in so many spoken units"), null=True, blank=True)
    typical_content = models.BigIntegerField(
        _("typical content"),
        null=True,
        blank=True,
        help_text=_("Base units in a usual pack: shown as a placeholder, never used to convert."),
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("unit rule")
        verbose_name_plural = _("unit rules")
        indexes = [GinIndex(name="unit_rule_by_word", fields=["spoken"])]
        constraints = [
            CheckConstraint(
                name="unit_rule_has_a_factor_or_is_a_package",
                condition=Q(is_package=True, numerator__isnull=True, denominator__isnull=True)
                | Q(
                    is_package=False,
                    numerator__isnull=False,
                    denominator__isnull=False,
                    numerator__gt=0,
                    denominator__gt=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return "/".join(self.spoken)


class MedicalUse(models.TextChoices):
    YES = "yes", _("yes")
    NO = "no", _("no")
    LIMITED = "limited", _("limited")


class Sterility(models.TextChoices):
    YES = "yes", _("sterile")
    NO = "no", _("not sterile")
    OPTIONAL = "optional", _("either")


class StandardStatus(models.TextChoices):
    CURRENT = "current", _("current")
    SUPERSEDED = "superseded", _("superseded")
    LAPSED = "lapsed", _("lapsed")
    IMPOSSIBLE = "impossible", _("no such edition")
    UNVERIFIED = "unverified", _("not verified")


class StandardQuerySet(models.QuerySet["Standard"]):
    def in_force(self, on: date) -> StandardQuerySet:
        """Editions that may be claimed on this day."""
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=on),
            Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=on),
        ).exclude(status=StandardStatus.IMPOSSIBLE)


class Standard(ReferenceRow):
    """One edition (and class) of a product standard."""

    code = models.CharField(_("code"), max_length=40, primary_key=True)
    issuer = models.CharField(_("issuer"), max_length=40)
    title = models.CharField(_("title"), max_length=160)
    title_zh = models.CharField(
        _("title in Chinese"),
        max_length=160,
        blank=True,
        db_default="",
        default="",
        help_text=_("Where the title has English words in it."),
    )
    items = models.ManyToManyField(Item, blank=True, related_name="standards", verbose_name=_("items"))
    medical_use = models.CharField(_("medical use"), max_length=8, choices=MedicalUse)
    sterile = models.CharField(_("sterility"), max_length=8, choices=Sterility)
    filtration_pct = models.DecimalField(
        _("filtration, percent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    filtration_metric = models.CharField(_("filtration measured as"), max_length=80, blank=True)
    fluid_resistance = models.CharField(_("fluid resistance"), max_length=120, blank=True)
    fluid_resistance_zh = models.CharField(
        _("fluid resistance in Chinese"), max_length=120, blank=True, db_default="", default=""
    )
    other_requirements = models.CharField(_("other requirements"), max_length=300, blank=True)
    other_requirements_zh = models.CharField(
        _("other requirements in Chinese"), max_length=300, blank=True, db_default="", default=""
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="replaces",
        verbose_name=_("replaced by"),
        help_text=_("For an edition that never existed: the one to read instead."),
    )
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=StandardStatus)
    aliases = ArrayField(
        models.CharField(max_length=60), verbose_name=_("also written"), default=list, blank=True
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    note_zh = models.CharField(_("note in Chinese"), max_length=300, blank=True, db_default="", default="")

    objects = StandardQuerySet.as_manager()

    class Meta:
        verbose_name = _("standard")
        verbose_name_plural = _("standards")
        constraints = [
            CheckConstraint(name="standard_status_is_known", condition=Q(status__in=StandardStatus.values)),
            CheckConstraint(
                name="standard_medical_use_is_known", condition=Q(medical_use__in=MedicalUse.values)
            ),
            CheckConstraint(name="standard_sterility_is_known", condition=Q(sterile__in=Sterility.values)),
            CheckConstraint(
                name="standard_is_not_replaced_by_itself",
                condition=Q(replaced_by__isnull=True) | ~Q(replaced_by=F("code")),
            ),
            CheckConstraint(
                name="standard_never_issued_names_what_to_read",
                condition=~Q(status=StandardStatus.IMPOSSIBLE) | Q(replaced_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return in_readers_language(self.title_zh, self.title)

    @property
    def fluid_resistance_shown(self) -> str:
        return in_readers_language(self.fluid_resistance_zh, self.fluid_resistance)

    @property
    def other_requirements_shown(self) -> str:
        return in_readers_language(self.other_requirements_zh, self.other_requirements)

    def is_in_force(self, on: date) -> bool:
        """Whether this edition may be claimed on this day."""
        return (
            self.status != StandardStatus.IMPOSSIBLE
            and (self.valid_from is None or self.valid_from <= on)
            and (self.withdrawn_on is None or on < self.withdrawn_on)
        )


class Verdict(models.TextChoices):
    ACCEPT = "accept", _("accepted")
    CONDITIONAL = "conditional", _("accepted if the hospital agrees")
    REJECT = "reject", _("not accepted")


class Relation(models.TextChoices):
    """How what is offered stands to what is asked for. Only CHAINING relations may be followed in a row."""

    EXCEEDS = "exceeds", _("exceeds it")
    NEWER_EDITION = "newer_edition", _("newer edition")
    REPLACES = "replaces", _("replaces it")
    EQUIVALENT = "equivalent", _("equivalent")
    ACCEPTED_AS = "accepted_as", _("accepted as such by a regulator")
    SIMILAR = "similar", _("similar")
    OLDER_EDITION = "older_edition", _("older edition")
    ACCEPTED_IN_SHORTAGE = "accepted_in_shortage", _("accepted in a shortage")
    LABEL_DECIDES = "label_decides", _("the label decides")
    DIFFERENT = "different", _("a different thing")
    LOWER = "lower", _("falls short of it")


CHAINING = frozenset({Relation.EXCEEDS, Relation.NEWER_EDITION, Relation.REPLACES, Relation.EQUIVALENT})


class SubstitutionQuerySet(models.QuerySet["Substitution"]):
    def accepted(self) -> SubstitutionQuerySet:
        return self.filter(verdict=Verdict.ACCEPT)

    def conditional(self) -> SubstitutionQuerySet:
        return self.filter(verdict=Verdict.CONDITIONAL)

    def rejected(self) -> SubstitutionQuerySet:
        return self.filter(verdict=Verdict.REJECT)


class Substitution(ReferenceRow):
    """Goods of one standard, offered where another is asked for: accepted, on a condition, or not."""

    offered = models.ForeignKey(
        Standard, on_delete=models.PROTECT, related_name="satisfies", verbose_name=_("standard offered")
    )
    satisfies = models.ForeignKey(
        Standard, on_delete=models.PROTECT, related_name="satisfied_by", verbose_name=_("standard asked for")
    )
    item = models.ForeignKey(
        Item, on_delete=models.PROTECT, related_name="substitutions", verbose_name=_("item asked for")
    )
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict)
    relation = models.CharField(_("relation"), max_length=24, choices=Relation)
    jurisdiction = models.CharField(
        _("jurisdiction"), max_length=10, default="*", help_text=_("CN, US, EU, WHO; * everywhere.")
    )
    use_scope = models.CharField(_("where it may be used"), max_length=120, default="all")
    settings = ArrayField(
        models.CharField(max_length=20),
        verbose_name=_("settings it holds for"),
        default=list,
        blank=True,
        help_text=_(
            "icu, isolation, observation, fever_clinic, general, surgery, lab, community; none = all."
        ),
    )
    condition = models.CharField(_("condition"), max_length=300, blank=True)
    condition_zh = models.CharField(_("condition in Chinese"), max_length=300, blank=True)
    evidence = models.CharField(_("evidence"), max_length=160, blank=True)
    evidence_zh = models.CharField(
        _("evidence in Chinese"), max_length=160, blank=True, db_default="", default=""
    )
    is_wasteful = models.BooleanField(
        _("wasteful"), default=False, help_text=_("Better goods than needed: accepted, ranked lower.")
    )

    objects = SubstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("substitution")
        verbose_name_plural = _("substitutions")
        constraints = [
            UniqueConstraint(
                name="substitution_has_one_verdict", fields=["offered", "satisfies", "item", "jurisdiction"]
            ),
            CheckConstraint(name="substitution_verdict_is_known", condition=Q(verdict__in=Verdict.values)),
            CheckConstraint(name="substitution_relation_is_known", condition=Q(relation__in=Relation.values)),
            CheckConstraint(name="substitution_is_not_of_itself", condition=~Q(offered=F("satisfies"))),
        ]

    def __str__(self) -> str:
        return f"{self.offered_id} → {self.satisfies_id} · {self.get_verdict_display()}"

    @property
    def condition_shown(self) -> str:
        return in_readers_language(self.condition_zh, self.condition)

    @property
    def evidence_shown(self) -> str:
        return in_readers_language(self.evidence_zh, self.evidence)


class TransportMode(Bilingual, ReferenceRow):
    """How goods travel, and how fast: the days of a journey are 1 + km / km_per_day, rounded up."""

    code = models.CharField(_("code"), max_length=20, primary_key=True)
    km_per_day = models.PositiveIntegerField(_("kilometres a day"))
    max_km = models.PositiveIntegerField(_("farthest, kilometres"), null=True, blank=True)
    rec19 = models.CharField(_("UN/CEFACT Rec 19 code"), max_length=1, blank=True)
    keeps_cold = models.BooleanField(_("keeps goods cold"), default=False)
    takes_dangerous = models.BooleanField(_("takes dangerous goods"), default=False)

    class Meta:
        verbose_name = _("transport mode")
        verbose_name_plural = _("transport modes")
        constraints = [CheckConstraint(name="transport_mode_moves", condition=Q(km_per_day__gt=0))]


class CounterfeitMarkQuerySet(models.QuerySet["CounterfeitMark"]):
    def active(self) -> CounterfeitMarkQuerySet:
        return self.filter(is_active=True)

    def latest_first(self) -> CounterfeitMarkQuerySet:
        return self.order_by("-stated_on", "pk")


class CounterfeitMark(ReferenceRow):
    """What is printed on goods that an authority or a maker has found to be counterfeit.

    Kept by administrators, each row with who says so, where and when. The project ships none.
    """

    maker = models.CharField(_("maker named on it"), max_length=120, blank=True)
    model = models.CharField(_("model"), max_length=80, blank=True)
    number = models.CharField(
        _("certificate or registration number"),
        max_length=60,
        blank=True,
        help_text=_("As printed. Spaces and signs do not matter."),
    )
    number_pattern = models.CharField(
        _("pattern of numbers"),
        max_length=60,
        blank=True,
        help_text=_(
            "* for any signs, ? for one: TC-84A-9???. Found this way, goods are warned of, not held back."
        ),
    )
    gtin = models.CharField(
        _("GTIN"),
        max_length=14,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{8,14}$", _("8 to 14 digits."))],
    )
    lot_from = models.CharField(_("first lot"), max_length=40, blank=True)
    lot_to = models.CharField(
        _("last lot"), max_length=40, blank=True, help_text=_("Only these lots; empty: every lot.")
    )
    wrong = models.CharField(_("what is wrong with it"), max_length=400)
    wrong_zh = models.CharField(_("the same in Chinese"), max_length=400, blank=True)
    jurisdiction = models.CharField(
        _("jurisdiction"), max_length=10, help_text=_("Where the warning was given: CN, US, EU, WHO.")
    )
    source = models.CharField(_("who says so"), max_length=200)
    source_url = models.URLField(_("source link"), max_length=500)
    stated_on = models.DateField(_("stated on"))
    is_active = models.BooleanField(_("active"), default=True)

    objects = CounterfeitMarkQuerySet.as_manager()

    class Meta:
        verbose_name = _("known counterfeit")
        verbose_name_plural = _("known counterfeits")
        constraints = [
            CheckConstraint(
                name="counterfeit_is_known_by_a_number_or_by_maker_and_model",
                condition=~Q(number="") | ~Q(number_pattern="") | ~Q(gtin="") | (~Q(maker="") & ~Q(model="")),
                violation_error_message=_("Give a number, a pattern, a GTIN, or the maker with the model."),
            ),
            CheckConstraint(
                name="counterfeit_lots_have_both_ends",
                condition=Q(lot_from="", lot_to="") | (~Q(lot_from="") & ~Q(lot_to="")),
                violation_error_message=_("Give the first and the last lot, or neither."),
            ),
        ]

    def __str__(self) -> str:
        known_by = (self.maker, self.model, self.number or self.number_pattern, self.gtin)
        return " ".join(word for word in known_by if word)

    @property
    def warning(self) -> str:
        """What is wrong with it."""
        return in_readers_language(self.wrong_zh, self.wrong)
