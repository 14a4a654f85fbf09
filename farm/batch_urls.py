"""Addresses of batches; included by farm.urls before houses' own codes."""

from django.urls import path, register_converter

from farm.views import batch_papers, batches, crops, trace


class EntryKind:
    """The kind of an entry in an address, in the words that people see."""

    words = {"thu-hoach": "harvest", "chi-phi": "cost", "cong": "labour"}
    regex = "|".join(words)

    def to_python(self, value: str) -> str:
        return self.words[value]

    def to_url(self, value: str) -> str:
        return next(word for word, kind in self.words.items() if kind == value)


register_converter(EntryKind, "entry_kind")

urlpatterns = [
    path("nha-mang/me/", batches.batch_list, name="farm_batches"),
    path("nha-mang/me/moi/", batches.batch_new, name="farm_batch_new"),
    path("nha-mang/me/<slug:code>/", batches.batch_detail, name="farm_batch"),
    path("nha-mang/me/<slug:code>/thu-hoach/", batches.batch_harvest, name="farm_batch_harvest"),
    path("nha-mang/me/<slug:code>/chi-phi/", batches.batch_cost, name="farm_batch_cost"),
    path("nha-mang/me/<slug:code>/cong/", batches.batch_labour, name="farm_batch_labour"),
    path("nha-mang/me/<slug:code>/ra-cay/", batches.batch_plant_out, name="farm_batch_plant_out"),
    path("nha-mang/me/<slug:code>/ket-thuc/", batches.batch_end, name="farm_batch_end"),
    path("nha-mang/me/<slug:code>/mo-lai/", batches.batch_reopen, name="farm_batch_reopen"),
    path(
        "nha-mang/me/<slug:code>/theo-giai-doan/",
        batches.batch_follow_stage,
        name="farm_batch_follow_stage",
    ),
    path("nha-mang/me/<slug:code>/so/", batches.batch_book, name="farm_batch_book"),
    path(
        "nha-mang/me/<slug:code>/so/<entry_kind:kind>/<uuid:key>/gach/",
        batches.batch_strike,
        name="farm_batch_strike",
    ),
    path("nha-mang/me/<slug:code>/bao-cao.pdf", batch_papers.report, name="farm_batch_report"),
    path("nha-mang/me/<slug:code>/tem.pdf", batch_papers.labels, name="farm_batch_labels"),
    path("nha-mang/me/<slug:code>/qr.svg", batch_papers.qr_svg, name="farm_batch_qr_svg"),
    path("nha-mang/me/<slug:code>/qr.png", batch_papers.qr_png, name="farm_batch_qr_png"),
    path("nha-mang/quy-trinh/", crops.crop_list, name="farm_crops"),
    path("nha-mang/quy-trinh/<slug:code>/", crops.crop_detail, name="farm_crop"),
    path("nha-mang/quy-trinh/<slug:code>/sua/", crops.crop_edit, name="farm_crop_edit"),
    path(
        "nha-mang/quy-trinh/<slug:code>/<int:position>/sua/",
        crops.stage_edit,
        name="farm_stage_edit",
    ),
    path("truy-xuat/<str:token>/", trace.trace, name="farm_trace"),
]
