from django.urls import path

from matching import views

urlpatterns = [
    path("answers/", views.answers, name="answers"),
    path("answers/<uuid:pk>/donor/", views.agree, {"side": "donor"}, name="agree-for-donor"),
    path("answers/<uuid:pk>/hospital/", views.agree, {"side": "hospital"}, name="agree-for-hospital"),
    path("answers/<uuid:pk>/decline/", views.decline, name="decline"),
]
