"""The pages. Each concept's views, on one screen."""

from django.urls import path

from supplies.accounts import views as accounts
from supplies.announcements import views as announcements
from supplies.attachments import views as attachments
from supplies.carriers.api import HookView
from supplies.change_requests import views as corrections
from supplies.desks import donor, hospital, public
from supplies.desks import views as desks
from supplies.desks.design import design
from supplies.desks.map import show as show_map
from supplies.desks.words import words
from supplies.dock import views as dock
from supplies.federation import views as federation
from supplies.intake import views as intake
from supplies.listings import views as listings
from supplies.needs import views as needs
from supplies.notices import inbox_views as inbox
from supplies.notices import views as notices
from supplies.offers import views as offers
from supplies.opendata import fhir_api as fhir
from supplies.opendata import views as opendata
from supplies.opendata.api import Download
from supplies.organisations import views as organisations
from supplies.papers import views as papers
from supplies.privacy import views as privacy
from supplies.receipts import views as receipts

urlpatterns = [
    path("", public.home, name="home"),
    path("design/", design, name="design"),
    path("map/", show_map, name="map"),
    path("announcements/", announcements.announcements, name="announcements"),
    path("announcements/feed.atom", announcements.feed, name="announcements-feed"),
    path("announcements/<uuid:pk>/", announcements.announcement, name="announcement"),
    path("mine/", desks.mine, name="mine"),
    path("track/", desks.find_code, name="find-code"),
    path("track/<slug:code>/", desks.follow, name="track"),
    path("track/<slug:code>/follow/", notices.follow_shipment, name="follow-shipment"),
    path("following/<str:word>/confirm/", notices.confirm_following, name="confirm-following"),
    path("following/<str:word>/end/", notices.end_following, name="end-following"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.read_all, name="read-inbox"),
    path("inbox/<uuid:pk>/", inbox.open_notice, name="open-notice"),
    path("notices/<str:word>/end/", inbox.end_notices, name="end-notices"),
    path("searches/", inbox.searches, name="searches"),
    path("searches/save/", inbox.save_search, name="save-search"),
    path("searches/offers/save/", inbox.save_offers_search, name="save-offers-search"),
    path("searches/<uuid:pk>/rename/", inbox.rename_search, name="rename-search"),
    path("searches/<uuid:pk>/remove/", inbox.remove_search, name="remove-search"),
    path("needs/", needs.browse, name="needs"),
    path("needs/still-needed/<str:word>/", needs.still_needed, name="still-needed"),
    path("needs/elsewhere/", federation.elsewhere, name="needs-elsewhere"),
    path("needs/<uuid:pk>/withdraw/", needs.withdraw_need, name="withdraw-need"),
    path("needs/<uuid:pk>/confirm/", needs.confirm_need, name="confirm-need"),
    path("items/<str:code>/", public.item, name="item"),
    path("words/", words, name="words"),
    path("how-to-give/", public.how_to_give, name="how-to-give"),
    path("appeals/new/", needs.choose_hospital, name="choose-hospital"),
    path("appeals/read/", intake.read, name="read-announcement"),
    path("appeals/new/<uuid:pk>/", needs.post, name="post-appeal"),
    path("appeals/<uuid:pk>/", needs.appeal, name="appeal"),
    path("appeals/<uuid:pk>/posted/", needs.posted, name="appeal-posted"),
    path("appeals/<uuid:pk>/withdraw/", needs.withdraw, name="withdraw-appeal"),
    path("donations/new/", offers.post, name="post-donation"),
    path("donations/<uuid:pk>/", offers.donation, name="donation"),
    path("donations/<uuid:pk>/posted/", offers.posted, name="donation-posted"),
    path("donations/<uuid:pk>/papers/", offers.papers, name="donation-papers"),
    path("donations/<uuid:pk>/withdraw/", offers.withdraw, name="withdraw-donation"),
    path("offers/<uuid:pk>/withdraw/", offers.withdraw_offer, name="withdraw-offer"),
    path("shipments/<uuid:pk>/", receipts.shipment, name="shipment"),
    path("shipments/<uuid:pk>/count/", receipts.count, name="count-shipment"),
    path("shipments/<uuid:pk>/correct/", receipts.correct, name="correct-count"),
    path("shipments/<uuid:pk>/tickets/", receipts.tickets, name="tickets"),
    path("shipments/<uuid:pk>/reroute/", receipts.reroute, name="reroute"),
    path("shipments/<uuid:pk>/thanks/", receipts.thank, name="thank"),
    path("hooks/carriers/<uuid:account>/", HookView.as_view(), name="carrier-hook"),
    path("dock/", dock.scan, name="dock"),
    path("dock/<uuid:pk>/", dock.shipment, name="dock-shipment"),
    path("shipments/<uuid:pk>/papers/<slug:paper>.pdf", papers.print_paper, name="shipment-paper"),
    path("donations/<uuid:pk>/certificate/", papers.certify, name="certify-donation"),
    path("certificates/", papers.find_certificate, name="find-certificate"),
    path("certificates/<slug:code>/", papers.certificate, name="certificate"),
    path("certificates/<slug:code>.pdf", papers.certificate_file, name="certificate-file"),
    path("report/<slug:what>/<uuid:pk>/", corrections.report, name="report"),
    path("reports/<slug:code>/", corrections.reported, name="reported"),
    path("reports/<slug:code>/take-back/", corrections.take_back, name="take-back-report"),
    path("mine/gifts/", donor.my_gifts, name="my-gifts"),
    path("donors/<uuid:pk>/consent/", offers.consent, name="standing-consent"),
    path("mine/gifts/<uuid:pk>/", donor.my_gift, name="my-gift"),
    path("mine/said-to-be-wrong/", corrections.change_requests, name="change-requests"),
    path("mine/said-to-be-wrong/<uuid:pk>/accept/", corrections.accept, name="accept-change-request"),
    path("mine/said-to-be-wrong/<uuid:pk>/decline/", corrections.decline, name="decline-change-request"),
    path("organisations/<uuid:pk>/", public.organisation, name="organisation"),
    path("organisations/<uuid:pk>/evidence/", organisations.hand_in_evidence, name="hand-in-evidence"),
    path("attachments/<uuid:pk>/", attachments.download, name="attachment"),
    path("hospitals/new/", organisations.register_hospital, name="register-hospital"),
    path("hospitals/listed/", listings.listed_facilities, name="listed-facilities"),
    path("facilities/<uuid:pk>/", privacy.facility, name="facility"),
    path("promises/<uuid:pk>/", privacy.promise, name="promise"),
    path("contacts/<uuid:pk>/reveal/", privacy.reveal, name="reveal-contact"),
    path("mine/hospital/", hospital.my_hospital, name="my-hospital"),
    path("mine/hospital/copy/", hospital.download, name="copy-my-hospital"),
    path("mine/data/", privacy.my_data, name="my-data"),
    path("mine/data/copy/", privacy.download, name="copy-my-data"),
    path("mine/data/erase/", privacy.erase_me, name="erase-me"),
    path("privacy/", privacy.notice, name="privacy"),
    path("facilities/<uuid:pk>/pause/", organisations.pause, name="pause"),
    path("sign-in/", accounts.sign_in, name="sign-in"),
    path("sign-up/", accounts.sign_up, name="sign-up"),
    path("sign-out/", accounts.SignOut.as_view(), name="sign-out"),
    path("confirm/", accounts.Confirm.as_view(), name="confirm"),
    path("second-factor/", accounts.second_factor, name="second-factor"),
    path("second-factor/set-up/", accounts.set_up_second_factor, name="set-up-second-factor"),
    path("second-factor/codes/", accounts.recovery_codes, name="recovery-codes"),
    path("second-factor/codes/recovery-codes.txt", accounts.recovery_codes_file, name="recovery-codes-file"),
    path("second-factor/codes/kept/", accounts.recovery_codes_kept, name="recovery-codes-kept"),
    path("password/change/", accounts.ChangePassword.as_view(), name="change-password"),
    path("password/reset/", accounts.ResetPassword.as_view(), name="reset-password"),
    path("password/reset/sent/", accounts.ResetSent.as_view(), name="account_reset_password_done"),
    path(
        "password/reset/<slug:uidb36>/<str:key>/",
        accounts.ResetByLink.as_view(),
        name="account_reset_password_from_key",
    ),
    path("account/", accounts.account, name="account"),
    path("account/number/", accounts.account_number, name="account-number"),
    path("account/name/", accounts.change_name, name="change-name"),
    path("account/mail/", accounts.mail, name="account_email"),
    path("account/mail/code/", accounts.mail_code, name="account_email_verification_sent"),
    path("account/reminders/", accounts.choose_reminders, name="choose-reminders"),
    path("account/notifications/", inbox.choices, name="notification-choices"),
    path("account/notifications/hours/", inbox.choose_hours, name="choose-hours"),
    path("account/notifications/robots/<slug:channel>/", inbox.set_up_robot, name="set-up-robot"),
    path("account/notifications/robots/<slug:channel>/away/", inbox.take_robot_away, name="take-robot-away"),
    path("account/sessions/end/", accounts.end_other_sessions, name="end-other-sessions"),
    path("account/keys/", accounts.keys, name="keys"),
    path("account/keys/new/", accounts.issue_key, name="issue-key"),
    path("account/keys/<uuid:pk>/revoke/", accounts.revoke_key, name="revoke-key"),
    path("organisations/<uuid:pk>/members/", accounts.members, name="members"),
    path("organisations/<uuid:pk>/members/invite/", accounts.invite, name="invite"),
    path("organisations/<uuid:pk>/webhooks/", notices.webhooks, name="webhooks"),
    path("organisations/<uuid:pk>/webhooks/add/", notices.add_webhook, name="add-webhook"),
    path("webhooks/<uuid:pk>/", notices.webhook, name="webhook"),
    path("webhooks/<uuid:pk>/test/", notices.test_webhook, name="test-webhook"),
    path("webhooks/<uuid:pk>/enable/", notices.enable_webhook, name="enable-webhook"),
    path("webhooks/<uuid:pk>/disable/", notices.disable_webhook, name="disable-webhook"),
    path("webhooks/<uuid:pk>/rotate/", notices.rotate_webhook, name="rotate-webhook"),
    path("webhooks/<uuid:pk>/remove/", notices.remove_webhook, name="remove-webhook"),
    path("webhooks/<uuid:pk>/replay/", notices.replay_webhook, name="replay-webhook"),
    path("webhooks/deliveries/<uuid:pk>/replay/", notices.replay_delivery, name="replay-delivery"),
    path("memberships/<int:pk>/dismiss/", accounts.dismiss_member, name="dismiss-member"),
    path("memberships/<int:pk>/promote/", accounts.promote_member, name="promote-member"),
    path("invitations/<slug:code>/", accounts.invitation, name="invitation"),
    path("invitations/<uuid:pk>/revoke/", accounts.revoke_invitation, name="revoke-invitation"),
    path("open/", opendata.index, name="open-data"),
    path("open/key/", opendata.key, name="open-key"),
    path("open/manifest.json", opendata.newest_manifest, name="open-manifest"),
    path("open/manifest.json.sig", opendata.newest_signature, name="open-signature"),
    path("open/dictionary/", opendata.dictionary, name="open-dictionary"),
    path("open/dictionary.json", opendata.dictionary_for_programs, name="open-dictionary-json"),
    path("open/<slug:kind>.<slug:form>", Download.as_view(), name="open-file"),
    path("open/dumps/<slug:dump>/<str:file>", opendata.dump_file, name="open-dump"),
    path("fhir/metadata", fhir.Metadata.as_view(), name="fhir-metadata"),
    path("fhir/SupplyRequest", fhir.SearchRequests.as_view(), name="fhir-requests"),
    path("fhir/SupplyRequest/<str:pk>", fhir.ReadRequest.as_view(), name="fhir-request"),
    path("fhir/SupplyDelivery", fhir.SearchDeliveries.as_view(), name="fhir-deliveries"),
    path("fhir/SupplyDelivery/<str:pk>", fhir.ReadDelivery.as_view(), name="fhir-delivery"),
    path("fhir/StructureDefinition/<slug:extension>", fhir.Definition.as_view(), name="fhir-definition"),
    path("language/", organisations.choose_language, name="language"),
]

# The names by which django-allauth looks for the pages it leads to.
urlpatterns += [
    path("sign-in/", accounts.sign_in, name="account_login"),
    path("sign-up/", accounts.sign_up, name="account_signup"),
    path("confirm/", accounts.Confirm.as_view(), name="account_reauthenticate"),
    path("second-factor/", accounts.second_factor, name="mfa_authenticate"),
    path("password/reset/", accounts.ResetPassword.as_view(), name="account_reset_password"),
]
