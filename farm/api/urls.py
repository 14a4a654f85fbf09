"""Addresses of the farm's API, below /api/farm/v1/."""

from django.urls import path, re_path

from farm.api import views

urlpatterns = [
    path("greenhouses", views.GreenhousesView.as_view(), name="farm_api_greenhouses"),
    path("greenhouses/<slug:code>", views.GreenhouseView.as_view(), name="farm_api_greenhouse"),
    path("greenhouses/<slug:code>/outputs", views.OutputsView.as_view(), name="farm_api_outputs"),
    path(
        "channels/<int:channel_id>/readings",
        views.ReadingsView.as_view(),
        name="farm_api_readings",
    ),
    path(
        "outputs/<int:output_id>/commands",
        views.OutputCommandsView.as_view(),
        name="farm_api_output_commands",
    ),
    path(
        "channels/<int:channel_id>/calibrations",
        views.CalibrationsView.as_view(),
        name="farm_api_calibrations",
    ),
    path("commands/<slug:command_id>", views.CommandView.as_view(), name="farm_api_command"),
    path("alarms", views.AlarmsView.as_view(), name="farm_api_alarms"),
    path(
        "alarms/<int:alarm_id>/acknowledgement",
        views.AcknowledgementView.as_view(),
        name="farm_api_acknowledgement",
    ),
    path("batches", views.BatchesView.as_view(), name="farm_api_batches"),
    path("batches/<slug:code>", views.BatchView.as_view(), name="farm_api_batch"),
    re_path("", views.NowhereView.as_view()),
]
