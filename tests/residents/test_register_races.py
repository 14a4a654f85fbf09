"""Register files that are taken over at the same moment (PostgreSQL)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import close_old_connections, connections

from addresses.models import Commune, Village
from residents import services
from residents.models import Household, RegisterImport, Resident
from residents.register_rows import COLUMNS

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(
        "__import__('django.db').db.connection.vendor != 'postgresql'",
        reason="row locks need PostgreSQL",
    ),
]
NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


def work(at=NOON):
    for register_import in RegisterImport.objects.claim(limit=1, at=at, lease=timedelta(hours=1)):
        services.proceed(register_import=register_import, at=at)


def test_two_files_with_the_same_people_at_once_keep_each_person_once(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    commune = Commune.objects.create(code="16072", name="Phú Lộc", province="Thanh Hoá")
    Village.objects.create(commune=commune, code="XY", name="Xuân Yên")
    headings = ";".join(column.heading for column in COLUMNS)
    for count in (80, 120):
        rows = [f"H{n // 4};XY;Chủ;;;N{n};Tên;;Nam;;" for n in range(count)]
        content = "\n".join([headings, *rows]).encode()
        register_import = services.receive_register_file(
            file=ContentFile(content, "f.csv"), file_name="f.csv", uploaded_by=None, at=NOON
        )
        services.check_register_file(register_import=register_import, at=NOON)
        services.approve_register_file(register_import_id=register_import.pk, at=NOON)
    barrier = threading.Barrier(2)

    def run(_):
        close_old_connections()
        barrier.wait(timeout=30)
        work()
        connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    for minute in range(1, 4):
        work(at=NOON + timedelta(minutes=minute))

    assert set(RegisterImport.objects.values_list("status", flat=True)) == {"done"}
    assert (Household.objects.count(), Resident.objects.count()) == (30, 120)
