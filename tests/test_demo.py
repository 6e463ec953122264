"""The demonstration: whole, true to itself, and nobody real in it."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import models, transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from matching.demo import services
from matching.demo.accounts import make_accounts, secret_of
from matching.models import PENDING, MatchingRun, Proposal, ProposalStatus, Trigger
from supplies.accounts.models import SecondFactor
from supplies.accounts.services import use_code
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.catalogue.services import load_reference
from supplies.change_requests.models import ChangeRequest, Wrong
from supplies.change_requests.twins import check_another_need_stands
from supplies.duplicates.models import DuplicatePair, PairStatus
from supplies.emergencies.models import Emergency, Phase
from supplies.intake.models import BatchStatus, Import
from supplies.journal.models import Event, Outgoing
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus, QuantityKind
from supplies.needs.services import lapse
from supplies.offers.models import Donation, DonationStatus, Offer, OfferStatus
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility, Organisation, User, Verified
from supplies.organisations.roles import Role
from supplies.receipts.models import Discrepancy
from supplies.regions.services import load_regions
from supplies.shipments.models import Shipment, ShipmentStatus
from tests.owner import as_owner

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
EVENING = MORNING + timedelta(hours=12)
DRAWN = "演示"


def fingerprint() -> dict[str, list[Any]]:
    """Everything that tells one load from another, keys and codes that are random on purpose left out."""
    return {
        "needs": list(
            Need.objects.order_by("pk").values_list("pk", "item", "quantity", "status", "needed_by")
        ),
        "offers": list(
            Offer.objects.order_by("pk").values_list("pk", "item", "quantity", "status", "expires_on")
        ),
        "proposals": list(
            Proposal.objects.order_by("need", "offer", "quantity", "status").values_list(
                "need", "offer", "quantity", "status"
            )
        ),
        "shipments": list(Shipment.objects.order_by("waybill", "status").values_list("waybill", "status")),
    }


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, list[Any]]]:
    """The demonstration, loaded in the evening; what a load in the morning of that day made is yielded."""
    with django_db_blocker.unblock(), transaction.atomic():
        with as_owner():  # as a management command loads it; only the owner has the tables analysed
            load_regions(at=MORNING)
            load_reference(at=MORNING)
            with transaction.atomic():
                services.load(at=MORNING)
                in_the_morning = fingerprint()
                transaction.set_rollback(True)
            services.load(at=EVENING)
        yield in_the_morning
        transaction.set_rollback(True)


@pytest.fixture
def demo(loaded: dict[str, list[Any]], db: None) -> dict[str, list[Any]]:
    return loaded


def test_the_same_day_always_gives_the_same_demonstration(demo: dict[str, list[Any]]) -> None:
    assert fingerprint() == demo


def test_loading_again_changes_nothing(demo: Any) -> None:
    before, events = fingerprint(), Event.objects.count()

    again = services.load(at=EVENING + timedelta(days=3))

    assert not again.is_new
    assert (fingerprint(), Event.objects.count()) == (before, events)


def test_it_is_as_large_as_promised(demo: Any) -> None:
    cities = Organisation.objects.filter(kind="hospital").values("region__parent").distinct().count()
    per_kind = dict(Organisation.objects.values_list("kind").annotate(Count("pk")))

    assert cities >= 13
    assert per_kind["hospital"] >= 150
    assert per_kind["donor"] >= 80
    assert per_kind["carrier"] >= 6
    assert {"coordinator", "volunteers"} <= per_kind.keys()
    assert Need.objects.count() >= 850
    assert Offer.objects.count() >= 420
    assert Need.objects.values("item").distinct().count() >= 25
    assert (
        Organisation.objects.filter(kind="donor", region__level="country").values("region").distinct().count()
        >= 2
    )


def test_one_emergency_goes_on_and_one_is_prepared_for(demo: Any) -> None:
    phases = list(Emergency.objects.newest_first().values_list("status", flat=True))

    assert phases == [Phase.RESPOND, Phase.PREPARE]
    assert all(Need.objects.in_emergency(emergency).open().exists() for emergency in Emergency.objects.all())


ONLY_A_LATER_RUN_MAKES = {
    "superseded",  # of what waits since the one before: the start of the demonstration is followed by it
    "rerouted",  # by a coordinator, once a hospital stops while goods are on their way to it
}


@pytest.mark.parametrize(
    ("model", "choices"),
    [
        (Organisation, Verified),
        (Appeal, AppealStatus),
        (Need, NeedStatus),
        (Donation, DonationStatus),
        (Offer, OfferStatus),
        (Proposal, ProposalStatus),
        (Allocation, AllocationStatus),
        (Shipment, ShipmentStatus),
    ],
)
def test_every_lifecycle_is_shown_in_every_state(
    model: type[models.Model], choices: type[models.TextChoices], demo: Any
) -> None:
    shown = set(model._default_manager.values_list("status", flat=True))

    assert shown | ONLY_A_LATER_RUN_MAKES == set(choices.values) | ONLY_A_LATER_RUN_MAKES


def test_every_kind_of_discrepancy_and_quantity_is_shown(demo: Any) -> None:
    assert set(Discrepancy.objects.values_list("kind", flat=True)) == set(Discrepancy.Kind.values)
    assert set(Need.objects.values_list("quantity_kind", flat=True)) == set(QuantityKind.values)
    assert set(Need.objects.open().values_list("urgency", flat=True)) == {1, 2, 3, 4}


def test_directed_goods_standing_consent_paused_sites_and_places_without_coordinates_are_shown(
    demo: Any,
) -> None:
    assert Donation.objects.exclude(directed_facility=None).exists()
    assert Donation.objects.exclude(directed_region=None).exists()
    assert Donation.objects.filter(allocates_for_me=True).exists()
    assert Donation.objects.filter(from_overseas=True).exists()
    assert Facility.objects.filter(is_paused=True).exists()
    assert Facility.objects.filter(lat=None).exists()
    assert Offer.objects.open().filter(expires_on__lte=EVENING.date() + timedelta(days=50)).exists()
    assert Need.objects.filter(as_written__contains="YY 0469-2010").exists()


def test_every_queue_of_the_desk_has_work_in_it(demo: Any) -> None:
    day = timezone.localdate(EVENING)

    assert DuplicatePair.objects.filter(status=PairStatus.PROPOSED).count() == 3
    assert Organisation.objects.to_call_back(day).exists()
    assert ChangeRequest.objects.open().count() == 3
    batch = Import.objects.get()
    assert (batch.status, batch.staged.count()) == (BatchStatus.READ, 3)
    twice = ChangeRequest.objects.open().get(kind=Wrong.DUPLICATE)
    check_another_need_stands(twice)  # so that it can be accepted


def test_nobody_in_it_is_real(demo: Any) -> None:
    assert not Organisation.objects.exclude(name__startswith=DRAWN).exists()
    assert not Facility.objects.exclude(name__startswith=DRAWN).exists()
    assert all(contact.phone.startswith("000-") for contact in Contact.objects.all())
    assert all(contact.email.endswith(".invalid") for contact in Contact.objects.all())
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_the_counters_of_needs_are_the_sums_of_their_allocations_and_proposals(demo: Any) -> None:
    for column, statuses in (
        ("quantity_promised", [AllocationStatus.RESERVED, AllocationStatus.BOOKED]),
        ("quantity_in_transit", [AllocationStatus.SHIPPED]),
    ):
        total = Coalesce(Sum("allocations__quantity", filter=Q(allocations__status__in=statuses)), 0)
        assert not Need.objects.annotate(total=total).exclude(**{column: models.F("total")}).exists(), column
    for model in (Need, Offer):
        pending = Coalesce(Sum("proposals__quantity", filter=Q(proposals__status__in=PENDING)), 0)
        assert not model.objects.annotate(total=pending).exclude(quantity_proposed=models.F("total")).exists()


def test_nothing_in_it_is_stale_on_the_day_of_loading(demo: Any) -> None:
    today = EVENING.date()

    assert not Need.objects.open().filter(deadline_at__lte=EVENING).exists()
    assert not Offer.objects.open().filter(Q(expires_on__lte=today) | Q(available_until__lt=today)).exists()
    assert not Proposal.objects.overdue(EVENING).exists()
    assert not Allocation.objects.overdue(EVENING).exists()


def test_nobody_is_told_and_the_first_match_is_still_to_come(demo: Any) -> None:
    assert not Outgoing.objects.waiting().exists()
    assert not MatchingRun.objects.exclude(trigger=Trigger.EVENT).exists()


def test_refreshing_makes_the_dates_fresh_and_reopens_what_lapsed_meanwhile(demo: Any) -> None:
    later = EVENING + timedelta(days=40)
    open_before = Need.objects.open().count()
    need = Need.objects.open().order_by("pk").first()
    assert need is not None
    lapse(at=later)

    with as_owner():
        moved, again = services.refresh(at=later), services.refresh(at=later)

    assert (moved, again) == (40, 0)
    assert Need.objects.open().count() == open_before
    assert Need.objects.get(pk=need.pk).needed_by == need.needed_by + timedelta(days=40)
    assert Emergency.objects.get(pk=services.OUTBREAK).began_on == later.date() - services.BEGAN


def test_there_is_an_account_for_every_role_that_acts_for_somebody(demo: Any, tmp_path: Path) -> None:
    accounts = make_accounts(tmp_path / "accounts.json", at=EVENING)

    assert [account.role for account in accounts] == Role.values
    for account in accounts:
        user = User.objects.get(username=account.username)
        assert user.roles == {account.role}
        assert user.check_password(account.password)


def test_the_accounts_of_a_hospital_a_donor_and_a_carrier_have_shipments_to_look_at(
    demo: Any, tmp_path: Path
) -> None:
    make_accounts(tmp_path / "accounts.json", at=EVENING)

    for role in (Role.HOSPITAL, Role.DONOR, Role.CARRIER):
        assert Shipment.objects.visible_to(User.objects.get(username=f"demo-{role}")).exists()


def test_passwords_stay_until_their_file_is_gone_and_only_its_owner_reads_it(
    demo: Any, tmp_path: Path
) -> None:
    file = tmp_path / "accounts.json"
    first = make_accounts(file, at=EVENING)
    second = make_accounts(file, at=EVENING)
    mode = stat.S_IMODE(file.stat().st_mode)
    file.unlink()

    third = make_accounts(file, at=EVENING)

    assert first == second
    assert mode == 0o600
    assert not {account.password for account in first} & {account.password for account in third}
    assert not User.objects.get(username=first[0].username).check_password(first[0].password)


def test_accounts_that_need_a_second_factor_have_one_whose_code_is_told(
    demo: Any, tmp_path: Path, settings: Any, capsys: Any
) -> None:
    settings.EMBEDDED, settings.STATE_DIR = True, tmp_path
    accounts = make_accounts(tmp_path / "accounts.json", at=timezone.now())
    needing = {account.role for account in accounts if account.has_factor}
    capsys.readouterr()

    call_command("demo_code", "volunteer")

    assert needing == {"hospital", "volunteer", "coordinator", "auditor", "admin"}
    assert all(
        User.objects.get(username=account.username).needs_second_factor is account.has_factor
        for account in accounts
    )
    volunteer = User.objects.get(username="demo-volunteer")
    assert use_code(volunteer, capsys.readouterr().out.strip(), at=timezone.now())
    with pytest.raises(CommandError, match="password alone"):
        call_command("demo_code", "donor")
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="never in production"):
        call_command("demo_code", "volunteer")


def test_a_second_factor_that_was_taken_away_is_given_anew(demo: Any, tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    make_accounts(file, at=EVENING)
    before = secret_of(file, "volunteer")
    SecondFactor.objects.filter(user__username="demo-volunteer").delete()

    make_accounts(file, at=EVENING)

    assert secret_of(file, "volunteer") != before
    assert SecondFactor.objects.filter(user__username="demo-volunteer", type="totp").exists()


def test_accounts_are_told_with_their_passwords_as_json(
    demo: Any, tmp_path: Path, settings: Any, capsys: Any
) -> None:
    settings.EMBEDDED, settings.STATE_DIR = True, tmp_path

    call_command("demo_accounts", json=True)

    told = json.loads(capsys.readouterr().out)
    assert [account["role"] for account in told["accounts"]] == Role.values
    assert told["sign_in"].startswith("/")


def test_production_gets_no_demonstration_accounts(demo: Any, settings: Any, tmp_path: Path) -> None:
    settings.EMBEDDED, settings.STATE_DIR = False, tmp_path

    with pytest.raises(CommandError, match="never in production"):
        call_command("demo_accounts")

    assert not User.objects.filter(username="demo-admin").exists()
    assert not list(tmp_path.iterdir())


def test_without_the_demonstration_there_is_nobody_to_act_for(
    demo: Any, settings: Any, tmp_path: Path
) -> None:
    settings.EMBEDDED, settings.STATE_DIR = True, tmp_path
    Organisation.objects.update(source="somewhere else")

    with pytest.raises(CommandError, match="load_demo"):
        call_command("demo_accounts")

    assert not User.objects.filter(username="demo-admin").exists()
