from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import RowField, RowSerializer, Strict, WholeNumber
from supplies.catalogue.models import Category, Item, Standard
from supplies.needs.forms import DUE_DAYS
from supplies.needs.models import SenderKind, Urgency
from supplies.notices import choosing, watching
from supplies.notices.inbox import Channel, Group, How, Notice
from supplies.notices.reading import read
from supplies.notices.searches import OF_NEEDS_ALONE, SavedSearch, SearchOver
from supplies.organisations.models import Organisation
from supplies.organisations.tokens import HasScope, signed_in
from supplies.regions.models import Region

# -- What it looks like -----------------------------------------------------------------------------------


class NoticeListSerializer(serializers.ListSerializer):
    def to_representation(self, data: Any) -> Any:
        """The words of a whole page are found together."""
        told, shown = read(data, self.context["request"].user), NoticeSerializer()
        return [shown.to_representation(each) for each in told]


class NoticeSerializer(serializers.Serializer):
    id = serializers.UUIDField(source="notice.pk")
    kind = serializers.CharField(source="notice.kind")
    group = serializers.ChoiceField(choices=Group.choices, source="notice.group")
    title = serializers.CharField(help_text="In the reader's language.")
    lines = serializers.ListField(
        child=serializers.CharField(), help_text="Empty where you may not see any more what it was about."
    )
    object = serializers.CharField(source="notice.subject", help_text="What kind of rows it tells of.")
    rows = serializers.ListField(child=serializers.CharField(), source="notice.rows", help_text="Their ids.")
    path = serializers.CharField(help_text="Of the page where one acts; empty where there is none.")
    at = serializers.DateTimeField(source="notice.at")
    read_at = serializers.DateTimeField(source="notice.read_at", allow_null=True)

    class Meta:
        list_serializer_class = NoticeListSerializer


class MarkedSerializer(serializers.Serializer):
    count = WholeNumber(help_text="How many were unread.")


class SavedSearchSerializer(RowSerializer):
    class Meta:
        model = SavedSearch
        fields = [
            "id",
            "over",
            "name",
            "q",
            "category",
            "item",
            "region",
            "urgency",
            "have",
            "standard",
            "sender",
            "due",
            "organisation",
            "created_at",
        ]
        read_only_fields = fields


# -- What may be sent --------------------------------------------------------------------------------------


class VisibleOrganisation(RowField):
    def get_queryset(self) -> QuerySet[Organisation]:
        return Organisation.objects.visible_to(self.context["request"].user)


class SearchInput(Strict):
    over = serializers.ChoiceField(choices=SearchOver.choices)
    name = serializers.CharField(max_length=80, required=False, default="")
    q = serializers.CharField(max_length=60, required=False, default="")
    category = RowField(queryset=Category.objects.all(), required=False, default=None)
    item = RowField(queryset=Item.objects.all(), required=False, default=None)
    region = RowField(queryset=Region.objects.all(), required=False, default=None)
    urgency = serializers.ChoiceField(choices=Urgency.choices, required=False, default=None)
    have = serializers.CharField(
        max_length=60, required=False, default="", help_text="Goods at hand: needs that they may serve."
    )
    standard = RowField(queryset=Standard.objects.all(), required=False, default=None)
    sender = serializers.ChoiceField(
        choices=SenderKind.choices,
        required=False,
        default=None,
        help_text="From whom the hospital takes goods.",
    )
    due = serializers.ChoiceField(
        choices=DUE_DAYS, required=False, default=None, help_text="Needed within so many days of being asked."
    )
    organisation = VisibleOrganisation(
        queryset=Organisation.objects.none(),
        required=False,
        default=None,
        help_text="Over needs, the hospital that asks; over offers, the hospital of yours whose open needs they have to fit.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing that was said is left out: the search would find more than was meant."""
        if attrs["over"] == SearchOver.OFFERS:
            meant = [name for name in OF_NEEDS_ALONE if attrs[name]]
            if meant:
                raise serializers.ValidationError(
                    {name: _("This narrows a search over needs, not one over offers.") for name in meant}
                )
        return attrs


class ChoiceSerializer(Strict):
    group = serializers.ChoiceField(choices=Group.choices)
    channel = serializers.ChoiceField(choices=Channel.choices)
    how = serializers.ChoiceField(choices=How.choices)


class PreferencesSerializer(serializers.Serializer):
    timezone = serializers.CharField()
    quiet_from = serializers.TimeField(allow_null=True)
    quiet_until = serializers.TimeField(allow_null=True)
    choices = ChoiceSerializer(many=True)


class PreferencesInput(Strict):
    timezone = serializers.CharField(max_length=40, help_text="As in the IANA database: Asia/Shanghai.")
    quiet_from = serializers.TimeField(
        allow_null=True, help_text="Null, as the other, to be told at any time."
    )
    quiet_until = serializers.TimeField(allow_null=True)
    choices = ChoiceSerializer(many=True, help_text="What is not named stays as it is.")


# -- What can be done --------------------------------------------------------------------------------------


class NoticeFilter(django_filters.FilterSet):
    group = django_filters.ChoiceFilter(choices=Group.choices)
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")

    class Meta:
        model = Notice
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Inbox"), retrieve=extend_schema(summary="A notice"))
class NoticeViewSet(ReadOnlyModelViewSet):
    """What you were told: in words of your language, of what you may see now."""

    serializer_class, filterset_class = NoticeSerializer, NoticeFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Notice.objects.all()

    def get_queryset(self) -> QuerySet[Notice]:
        return Notice.objects.of(self.request.user).newest_first()

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._shown(self.get_object())

    @extend_schema(summary="Mark a notice as read", request=None, responses=NoticeSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        notice = self.get_object()
        choosing.mark_read(signed_in(request), [notice.pk], at=timezone.now())
        notice.refresh_from_db()
        return self._shown(notice)

    @extend_schema(summary="Mark all notices as read", request=None, responses=MarkedSerializer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        return Response({"count": choosing.mark_read(signed_in(request), at=timezone.now())})

    def _shown(self, notice: Notice) -> Response:
        (told,) = read([notice], signed_in(self.request))
        return Response(self.get_serializer(told).data)


@extend_schema_view(
    list=extend_schema(summary="Saved searches"), retrieve=extend_schema(summary="A saved search")
)
class SavedSearchViewSet(ReadOnlyModelViewSet):
    """What you wait for: you are told when something new fits it."""

    serializer_class = SavedSearchSerializer
    permission_classes = [IsAuthenticated, HasScope]
    queryset = SavedSearch.objects.all()

    def get_queryset(self) -> QuerySet[SavedSearch]:
        return SavedSearch.objects.of(self.request.user).order_by("-created_at", "-pk")

    @extend_schema(summary="Save a search", request=SearchInput, responses={201: SavedSearchSerializer})
    def create(self, request: Request) -> Response:
        given = SearchInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        search = watching.save(signed_in(request), at=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(search).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Remove a saved search", request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:
        watching.remove(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class PreferencesView(APIView):
    """Of what you are told by which channel, and when."""

    permission_classes = [IsAuthenticated, HasScope]

    @extend_schema(summary="How you are told", responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        return self._shown(request)

    @extend_schema(
        summary="Choose how you are told", request=PreferencesInput, responses=PreferencesSerializer
    )
    def post(self, request: Request) -> Response:
        given = PreferencesInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        choices = {(one["group"], one["channel"]): one["how"] for one in values.pop("choices")}
        choosing.keep_quiet(signed_in(request), **values)
        choosing.choose(signed_in(request), choices)
        return self._shown(request)

    def _shown(self, request: Request) -> Response:
        habits = choosing.habits_of(signed_in(request))
        chosen = choosing.chosen_by(signed_in(request))
        shown = {name: getattr(habits, name) for name in ("timezone", "quiet_from", "quiet_until")}
        choices = [
            {"group": group, "channel": channel, "how": how} for (group, channel), how in chosen.items()
        ]
        return Response(PreferencesSerializer({**shown, "choices": choices}).data)
