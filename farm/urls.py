"""The greenhouse's pages. Fixed words come before <slug:code>, which is a house's own code."""

from django.urls import URLPattern, URLResolver, include, path

from farm.views import (
    alarms,
    api_tokens,
    calibration,
    charts,
    dashboard,
    day_log,
    devices,
    exports,
    outputs,
    rules,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("farm.batch_urls")),
    path("nha-mang/", dashboard.farm_home, name="farm_home"),
    path("nha-mang/truc-tiep/", dashboard.farm_home_live, name="farm_home_live"),
    path("nha-mang/canh-bao/", alarms.farm_alarms, name="farm_alarms"),
    path("nha-mang/canh-bao/truc-tiep/", alarms.farm_alarms_live, name="farm_alarms_live"),
    path("nha-mang/canh-bao/<int:pk>/da-biet/", alarms.farm_alarm_seen, name="farm_alarm_seen"),
    path("nha-mang/chuong-trinh/", rules.farm_rules, name="farm_rules"),
    path("nha-mang/chuong-trinh/<int:pk>/", rules.farm_rule, name="farm_rule"),
    path("nha-mang/chuong-trinh/<int:pk>/sua/", rules.farm_rule_change, name="farm_rule_change"),
    path(
        "nha-mang/chuong-trinh/<int:pk>/bat-tat/", rules.farm_rule_switch, name="farm_rule_switch"
    ),
    path("nha-mang/chuong-trinh/<int:pk>/xoa/", rules.farm_rule_archive, name="farm_rule_archive"),
    path("nha-mang/chuong-trinh/them/<slug:kind>/", rules.farm_rule_add, name="farm_rule_add"),
    path("nha-mang/nguong/<int:pk>/", alarms.farm_limit, name="farm_limit"),
    path("nha-mang/truc/<int:pk>/", alarms.farm_watch, name="farm_watch"),
    path("nha-mang/nhat-ky/", day_log.farm_log, name="farm_log"),
    path("nha-mang/thiet-bi/", devices.farm_devices, name="farm_devices"),
    path("nha-mang/kenh/<int:pk>/", charts.farm_chart, name="farm_chart"),
    path("nha-mang/kenh/<int:pk>/so-lieu.json", charts.farm_chart_data, name="farm_chart_data"),
    path(
        "nha-mang/kenh/<int:pk>/do-thieu-am/", charts.farm_deficit_chart, name="farm_deficit_chart"
    ),
    path(
        "nha-mang/kenh/<int:pk>/do-thieu-am/so-lieu.json",
        charts.farm_deficit_chart_data,
        name="farm_deficit_chart_data",
    ),
    path("nha-mang/kenh/<int:pk>/nguong/", alarms.farm_limits, name="farm_limits"),
    path("nha-mang/kenh/<int:pk>/ten/", devices.farm_channel_place, name="farm_channel_place"),
    path(
        "nha-mang/kenh/<int:pk>/hieu-chuan/", calibration.farm_calibration, name="farm_calibration"
    ),
    path(
        "nha-mang/kenh/<int:pk>/hieu-chuan/truc-tiep/",
        calibration.farm_calibration_live,
        name="farm_calibration_live",
    ),
    path(
        "nha-mang/kenh/<int:pk>/hieu-chuan/bat-dau/",
        calibration.farm_calibration_begin,
        name="farm_calibration_begin",
    ),
    path(
        "nha-mang/kenh/<int:pk>/hieu-chuan/chinh/",
        calibration.farm_calibrate,
        name="farm_calibrate",
    ),
    path(
        "nha-mang/kenh/<int:pk>/hieu-chuan/xong/",
        calibration.farm_calibration_end,
        name="farm_calibration_end",
    ),
    path("nha-mang/dau-ra/<int:pk>/", outputs.farm_output, name="farm_output"),
    path("nha-mang/dau-ra/<int:pk>/chay/", outputs.farm_run, name="farm_run"),
    path("nha-mang/dau-ra/<int:pk>/cham/", outputs.farm_dose, name="farm_dose"),
    path("nha-mang/dau-ra/<int:pk>/do-manh/", outputs.farm_set, name="farm_set"),
    path("nha-mang/dau-ra/<int:pk>/dung/", outputs.farm_halt, name="farm_halt"),
    path("nha-mang/dau-ra/<int:pk>/khoa/", outputs.farm_lock, name="farm_lock"),
    path("nha-mang/dau-ra/<int:pk>/da-xem/", outputs.farm_looked, name="farm_looked"),
    path("nha-mang/dau-ra/<int:pk>/ten/", devices.farm_output_place, name="farm_output_place"),
    path("nha-mang/lenh/<slug:pk>/da-xem/", outputs.farm_settle, name="farm_settle"),
    path("nha-mang/khoa-api/", api_tokens.farm_tokens, name="farm_tokens"),
    path(
        "nha-mang/khoa-api/<int:pk>/thu-hoi/",
        api_tokens.farm_token_revoke,
        name="farm_token_revoke",
    ),
    path("nha-mang/<slug:code>/", dashboard.farm_house, name="farm_house"),
    path("nha-mang/<slug:code>/truc-tiep/", dashboard.farm_house_live, name="farm_house_live"),
    path("nha-mang/<slug:code>/dung-khan-cap/", dashboard.farm_stop, name="farm_stop"),
    path("nha-mang/<slug:code>/cho-chay-lai/", dashboard.farm_release, name="farm_release"),
    path("nha-mang/<slug:code>/nhat-ky/", day_log.farm_log_of_house, name="farm_log_of_house"),
    path("nha-mang/<slug:code>/truc/", alarms.farm_watch_join, name="farm_watch_join"),
    path("nha-mang/<slug:code>/xuat/", exports.farm_export, name="farm_export"),
]
