"""The pages. Each concept's views, on one screen."""

from django.urls import path

from supplies.attachments import views as attachments
from supplies.desks import views as desks
from supplies.needs import views as needs
from supplies.offers import views as offers
from supplies.organisations import views as organisations
from supplies.shipments import views as shipments

urlpatterns = [
    path("", desks.home, name="home"),
    path("mine/", desks.mine, name="mine"),
    path("track/", desks.find_code, name="find-code"),
    path("track/<slug:code>/", desks.follow, name="track"),
    path("needs/", needs.browse, name="needs"),
    path("needs/<uuid:pk>/withdraw/", needs.withdraw_need, name="withdraw-need"),
    path("needs/<uuid:pk>/confirm/", needs.confirm_need, name="confirm-need"),
    path("appeals/new/", needs.choose_hospital, name="choose-hospital"),
    path("appeals/new/<uuid:pk>/", needs.post, name="post-appeal"),
    path("appeals/<uuid:pk>/", needs.appeal, name="appeal"),
    path("appeals/<uuid:pk>/posted/", needs.posted, name="appeal-posted"),
    path("appeals/<uuid:pk>/withdraw/", needs.withdraw, name="withdraw-appeal"),
    path("donations/new/", offers.post, name="post-donation"),
    path("donations/<uuid:pk>/", offers.donation, name="donation"),
    path("donations/<uuid:pk>/posted/", offers.posted, name="donation-posted"),
    path("donations/<uuid:pk>/withdraw/", offers.withdraw, name="withdraw-donation"),
    path("offers/<uuid:pk>/withdraw/", offers.withdraw_offer, name="withdraw-offer"),
    path("shipments/<uuid:pk>/", shipments.shipment, name="shipment"),
    path("shipments/<uuid:pk>/count/", shipments.count, name="count-shipment"),
    path("organisations/<uuid:pk>/", organisations.organisation, name="organisation"),
    path("organisations/<uuid:pk>/evidence/", organisations.hand_in_evidence, name="hand-in-evidence"),
    path("attachments/<uuid:pk>/", attachments.download, name="attachment"),
    path("hospitals/new/", organisations.register_hospital, name="register-hospital"),
    path("facilities/<uuid:pk>/pause/", organisations.pause, name="pause"),
    path("sign-in/", organisations.SignIn.as_view(), name="sign-in"),
    path("sign-up/", organisations.sign_up, name="sign-up"),
    path("sign-out/", organisations.SignOut.as_view(), name="sign-out"),
    path("language/", organisations.choose_language, name="language"),
]
