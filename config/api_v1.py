"""Every route of the public API, on one screen."""

from django.urls import include, path

from config.api_once import GatedRouter, gated
from matching.check_api import CheckView
from matching.proposals_api import ProposalViewSet
from matching.runs_api import MatchingRunViewSet
from matching.shortfalls_api import ShortfallViewSet
from supplies.allocations.api import AllocationViewSet
from supplies.announcements.api import AnnouncementViewSet
from supplies.attachments.uploads import takes_files
from supplies.carriers.api import TrackingEventsView
from supplies.catalogue.api import CategoryViewSet, ItemViewSet, StandardViewSet
from supplies.change_requests.api import ReportViewSet
from supplies.desks.api import CarrierRecordsView, TrackView
from supplies.emergencies.api import EmergencyViewSet
from supplies.federation.api import ForeignNeedViewSet
from supplies.intake.api import ImportViewSet, IntakeView
from supplies.listings.api import ListedFacilityViewSet
from supplies.loads.api import LoadViewSet
from supplies.needs.api import AppealViewSet, NeedViewSet
from supplies.notices.api import FollowView, WebhookDeliveryViewSet, WebhookEndpointViewSet
from supplies.notices.inbox_api import NoticeViewSet, PreferencesView, SavedSearchViewSet
from supplies.offers.api import DonationViewSet, OfferViewSet
from supplies.organisations.api import OrganisationViewSet
from supplies.papers.api import CertificateView, CertifyView, PaperView
from supplies.privacy.api import ContactViewSet, ReachableFacilityViewSet, RevealViewSet
from supplies.receipts.api import CountedShipmentViewSet, ProofsView, TicketViewSet
from supplies.regions.api import RegionViewSet

router = GatedRouter()
router.register("regions", RegionViewSet)
router.register("categories", CategoryViewSet)
router.register("items", ItemViewSet)
router.register("standards", StandardViewSet)
router.register("emergencies", EmergencyViewSet)
router.register("announcements", AnnouncementViewSet)
router.register("organisations", OrganisationViewSet)
router.register("facilities", ReachableFacilityViewSet)
router.register("listed-facilities", ListedFacilityViewSet)
router.register("contacts", ContactViewSet)
router.register("reveals", RevealViewSet)
router.register("appeals", AppealViewSet)
router.register("needs", NeedViewSet)
router.register("foreign-needs", ForeignNeedViewSet)
router.register("donations", DonationViewSet)
router.register("offers", OfferViewSet)
router.register("matching-runs", MatchingRunViewSet)
router.register("proposals", ProposalViewSet)
router.register("shortfalls", ShortfallViewSet)
router.register("allocations", AllocationViewSet)
router.register("shipments", CountedShipmentViewSet)
router.register("tickets", TicketViewSet, basename="ticket")
router.register("intake-batches", ImportViewSet, basename="intake-batch")
router.register("webhook-endpoints", WebhookEndpointViewSet)
router.register("webhook-deliveries", WebhookDeliveryViewSet)
router.register("notices", NoticeViewSet)
router.register("saved-searches", SavedSearchViewSet)
router.register("loads", LoadViewSet, basename="load")
router.register("change-requests", ReportViewSet, basename="change-request")

urlpatterns = [
    path("", include(router.urls)),
    path("check/", gated(CheckView).as_view(), name="check"),
    path("intake/", gated(IntakeView).as_view(), name="intake"),
    path("notification-choices/", gated(PreferencesView).as_view(), name="api-notification-choices"),
    path("tracking-events/", gated(TrackingEventsView).as_view(), name="tracking-events"),
    path(
        "shipments/<uuid:pk>/proofs/",
        takes_files(gated(ProofsView).as_view(), "file"),
        name="shipment-proofs",
    ),
    path("shipments/<uuid:pk>/papers/<slug:paper>/", gated(PaperView).as_view(), name="shipment-papers"),
    path("donations/<uuid:pk>/certificate/", gated(CertifyView).as_view(), name="donation-certificate"),
    path("certificates/<str:code>/", gated(CertificateView).as_view(), name="certificate-detail"),
    path("track/<str:code>/", gated(TrackView).as_view(), name="track-code"),
    path("track/<str:code>/followers/", gated(FollowView).as_view(), name="track-followers"),
    path("carrier-records/", gated(CarrierRecordsView).as_view(), name="carrier-records"),
]
