"""Checking goods over the API: what they are good for, by the rule the matching goes by."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from matching.lookup import MOST_TEXT, Asked, look_up
from supplies.api_fields import Coded, Day, Moment, RowField, Strict
from supplies.catalogue.models import Item, Standard
from supplies.needs.models import Setting


class CheckInput(Strict):
    """What somebody has: q, or the code of an item or a standard. Without any of them the answer asks what it is."""

    q = serializers.CharField(
        required=False,
        max_length=MOST_TEXT,
        help_text="What it is, what is printed on it, what a scanner sends: in any order.",
    )
    item = RowField(
        queryset=Item.objects.active(),
        required=False,
        help_text="The code of an item, where the answer asked which.",
    )
    standard = RowField(
        queryset=Standard.objects.all(),
        required=False,
        help_text="The code of a standard, where the answer asked which.",
    )
    sterile = serializers.ChoiceField(choices=["yes", "no"], required=False, help_text="Absent: not known.")
    valve = serializers.ChoiceField(choices=["yes", "no"], required=False, help_text="Absent: not known.")
    expires = Day(required=False)
    setting = serializers.ChoiceField(
        choices=Setting.choices, required=False, help_text="Absent: everywhere."
    )
    country = serializers.RegexField(
        r"^[A-Z]{2}\Z",
        required=False,
        default="CN",
        help_text="Whose rules: a code of ISO 3166-1, or EU.",
    )

    @property
    def asked(self) -> Asked:
        values, answers = self.validated_data, {"yes": True, "no": False}
        return Asked(
            text=values.get("q", ""),
            item=values["item"].pk if "item" in values else "",
            standard=values["standard"].pk if "standard" in values else "",
            sterile=answers.get(values.get("sterile")),
            has_valve=answers.get(values.get("valve")),
            expires_on=values.get("expires"),
            setting=values.get("setting", ""),
            country=values["country"],
        )


class CheckRemark(serializers.Serializer):
    code = serializers.CharField(help_text="Stable, for programs.")
    text = serializers.CharField(help_text="For people.")


class CheckPart(serializers.Serializer):
    name = serializers.CharField(source="label")
    says = serializers.CharField()


class CheckAddress(serializers.Serializer):
    name = serializers.CharField()
    url = serializers.CharField()


class CheckMark(serializers.Serializer):
    """A number or code that was read. Whether it was ever given is not checked: ask the register."""

    kind = serializers.CharField(help_text="Stable, for programs.")
    text = serializers.CharField()
    title = serializers.CharField()
    parts = CheckPart(many=True)
    oddities = CheckRemark(many=True)
    checked = serializers.CharField(help_text="What was looked at.")
    register = CheckAddress(allow_null=True, help_text="Where to ask whether it exists.")
    gtin = serializers.CharField()
    lot = serializers.CharField()
    serial = serializers.CharField()
    made_on = Day(allow_null=True)
    expires_on = Day(allow_null=True)


class CheckReading(serializers.Serializer):
    """A standard that is quoted."""

    text = serializers.CharField(help_text="The words it was read in.")
    standard = serializers.CharField(
        source="standard.pk", default=None, allow_null=True, help_text="Null: none that is known."
    )
    warnings = CheckRemark(many=True)


class CheckChoice(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class CheckQuestion(serializers.Serializer):
    """What has to be said before there is one answer: ask again with `field` set to one of the codes."""

    field = serializers.ChoiceField(choices=["item", "standard"], source="about")
    text = serializers.CharField()
    choices = CheckChoice(many=True)


class CheckSource(serializers.Serializer):
    key = serializers.CharField()
    citation = serializers.CharField()
    url = serializers.CharField()


class CheckStep(serializers.Serializer):
    offered = serializers.CharField()
    satisfies = serializers.CharField()
    relation = serializers.CharField()


class CheckLine(serializers.Serializer):
    """A need, and why these goods may or may not go to it."""

    item = Coded()
    standard = serializers.CharField(
        source="standard.pk",
        default=None,
        allow_null=True,
        help_text="Null: any of the item that is fit for care.",
    )
    settings = serializers.ListField(child=serializers.CharField(), help_text="Where this holds.")
    reason = serializers.CharField(help_text="Stable, for programs.")
    why = serializers.CharField()
    condition = serializers.CharField(help_text="What the hospital has to agree to; empty where nothing.")
    steps = CheckStep(many=True, help_text="The substitutions that lead there.")
    sources = CheckSource(many=True)
    is_verified = serializers.BooleanField(help_text="Somebody has read the rule in its source.")
    as_of = Moment(allow_null=True, help_text="When the rule was last changed here.")


class CheckShelfLife(serializers.Serializer):
    verdict = serializers.CharField(help_text="expired, too-short or fits.")
    expires_on = Day()
    days_left = serializers.IntegerField()
    days_wanted = serializers.IntegerField(help_text="On the day of arrival.")
    arrive_by = Day()
    sentence = serializers.CharField()


class CheckCase(serializers.Serializer):
    """One way to understand what was asked. What is not listed as good for is not matched."""

    item = Coded()
    standard = serializers.CharField(source="standard.pk", default=None, allow_null=True)
    warnings = CheckRemark(many=True)
    good_for = CheckLine(many=True)
    on_condition = CheckLine(many=True, help_text="Good for, once the hospital that asked has agreed.")
    not_for = CheckLine(many=True)
    instead = serializers.CharField(help_text="Where the goods are welcome.")
    shelf_life = CheckShelfLife(allow_null=True)
    evidence = serializers.ListField(child=serializers.CharField(), help_text="What to attach to an offer.")


class CheckCounterfeit(serializers.Serializer):
    """A row of the list of known counterfeits that these goods are like."""

    sentence = serializers.CharField()
    is_exact = serializers.BooleanField(help_text="A whole number of the list is printed on them.")
    said_by = serializers.CharField(source="mark.source")
    url = serializers.CharField(source="mark.source_url")
    stated_on = Day(source="mark.stated_on")
    jurisdiction = serializers.CharField(source="mark.jurisdiction")


class CheckEdition(serializers.Serializer):
    version = serializers.IntegerField()
    loaded_at = Moment()


class CheckedGoodsSerializer(serializers.Serializer):
    marks = CheckMark(many=True)
    readings = CheckReading(many=True)
    questions = CheckQuestion(many=True)
    cases = CheckCase(many=True)
    counterfeits = CheckCounterfeit(many=True)
    contradictions = serializers.ListField(child=serializers.CharField())
    unread = serializers.CharField(help_text="Words that nothing was made of.")
    edition = CheckEdition(allow_null=True, help_text="Of the table of substitutions; null before the first.")


class CheckView(APIView):
    """What goods are good for that are marked so, by the rule the matching goes by. Needs no login; nothing is stored.

    It says what was read and what was checked. Whether goods or papers are genuine it cannot tell.
    """

    @extend_schema(
        summary="Check goods",
        parameters=[CheckInput],
        responses=CheckedGoodsSerializer,
        examples=[
            OpenApiExample(
                "A word for two things, and no standard",
                value={
                    "marks": [],
                    "readings": [],
                    "questions": [
                        {
                            "field": "item",
                            "text": "These words may mean several things. Which is it?",
                            "choices": [
                                {"code": "RESP_MED", "name": "Medical protective respirator"},
                                {"code": "RESP_PART", "name": "Particulate respirator"},
                            ],
                        }
                    ],
                    "cases": [],
                    "counterfeits": [],
                    "contradictions": [],
                    "unread": "",
                    "edition": {"version": 1, "loaded_at": "2020-02-01T00:00:00Z"},
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        said = CheckInput(
            data={name: value for name, value in request.query_params.items() if value},
            context={"request": request},
        )
        said.is_valid(raise_exception=True)
        return Response(CheckedGoodsSerializer(look_up(said.asked, on=timezone.localdate())).data)
