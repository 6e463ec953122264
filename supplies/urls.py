"""The pages. Each concept's views, on one screen."""

from django.urls import path

from supplies.desks import views as desks
from supplies.needs import views as needs
from supplies.offers import views as offers
from supplies.organisations import views as organisations
from supplies.privacy import views as privacy
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
    path("hospitals/new/", organisations.register_hospital, name="register-hospital"),
    path("facilities/<uuid:pk>/", privacy.facility, name="facility"),
    path("promises/<uuid:pk>/", privacy.promise, name="promise"),
    path("contacts/<uuid:pk>/reveal/", privacy.reveal, name="reveal-contact"),
    path("mine/data/", privacy.my_data, name="my-data"),
    path("mine/data/copy/", privacy.download, name="copy-my-data"),
    path("mine/data/erase/", privacy.erase_me, name="erase-me"),
    path("privacy/", privacy.notice, name="privacy"),
    path("facilities/<uuid:pk>/pause/", organisations.pause, name="pause"),
    path("sign-in/", organisations.SignIn.as_view(), name="sign-in"),
    path("sign-up/", organisations.sign_up, name="sign-up"),
    path("sign-out/", organisations.SignOut.as_view(), name="sign-out"),
    path("language/", organisations.choose_language, name="language"),
]
