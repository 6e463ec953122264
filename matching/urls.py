from django.urls import path

from matching import accounts_page, views

urlpatterns = [
    path("how-matching-works/", views.how_matching_works, name="how-matching-works"),
    path("where-it-went/", accounts_page.where_it_went, name="where-it-went"),
    path("where-it-went.csv", accounts_page.where_it_went_file, name="where-it-went-file"),
    path("check/", views.check, name="check-goods"),
    path("check/offer/", views.check_offer, name="check-offer"),
    path("appeals/<uuid:pk>/still-lacking/", views.still_lacking, name="still-lacking"),
    path("answers/", views.answers, name="answers"),
    path("answers/<uuid:pk>/donor/", views.agree, {"side": "donor"}, name="agree-for-donor"),
    path("answers/<uuid:pk>/hospital/", views.agree, {"side": "hospital"}, name="agree-for-hospital"),
    path("answers/<uuid:pk>/decline/", views.decline, name="decline"),
]
