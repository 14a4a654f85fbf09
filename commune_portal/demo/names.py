"""Vietnamese names as they are spread in a commune of northern Thanh Hoá, by sex and age.

Shares are estimates, made to look right and not to be quoted: Nguyễn is somewhat rarer than in the
whole country and Lê, Trịnh, Mai commoner; a woman above fifty is nearly always "Thị".
"""

import random
from itertools import accumulate
from typing import Final

FEMALE: Final = "female"
MALE: Final = "male"

# Youngest age of a cohort, oldest cohort first: names go out of fashion.
_COHORTS: Final = (60, 35, 15, 0)

_FAMILY_NAMES: Final = {
    "Nguyễn": 250, "Lê": 150, "Trần": 90, "Phạm": 88, "Hoàng": 78, "Vũ": 66, "Bùi": 48, "Đỗ": 40,
    "Trịnh": 36, "Mai": 28, "Đặng": 20, "Trương": 20, "Đinh": 16, "Phan": 14, "Ngô": 13, "Lưu": 12,
    "Tống": 9, "Cao": 9, "Hà": 8, "Lương": 7, "Tạ": 6, "Đào": 5, "Đoàn": 5, "Lại": 3, "Nghiêm": 2,
}  # fmt: skip

_MIDDLE_NAMES: Final = {
    FEMALE: (
        {"Thị": 96, "": 4},
        {"Thị": 84, "Thị Thu": 3, "Thị Kim": 3, "Thị Hồng": 3, "Thị Thanh": 3, "Kim": 2, "Ngọc": 2},
        {"Thị": 46, "Thị Thu": 6, "Thị Thanh": 5, "Thị Hồng": 5, "Thị Phương": 5, "Thị Ngọc": 5,
         "Thuỳ": 6, "Ngọc": 6, "Phương": 6, "Thu": 5, "Khánh": 3, "Hồng": 2},
        {"Ngọc": 16, "Khánh": 12, "Bảo": 12, "Phương": 10, "Thị": 10, "Hà": 7, "Thuỳ": 6, "Minh": 7,
         "Thảo": 5, "Quỳnh": 4, "Diệu": 3, "An": 4, "Tuệ": 3, "Gia": 3},
    ),
    MALE: (
        {"Văn": 56, "Xuân": 8, "Đình": 8, "Hữu": 7, "Ngọc": 5, "Bá": 5, "Trọng": 4, "Sỹ": 3,
         "Viết": 2, "Công": 2},
        {"Văn": 48, "Đình": 9, "Hữu": 8, "Xuân": 8, "Ngọc": 7, "Quang": 4, "Đức": 4, "Trọng": 4,
         "Bá": 4, "Mạnh": 3, "Sỹ": 1},
        {"Văn": 30, "Đình": 8, "Hữu": 6, "Ngọc": 7, "Đức": 8, "Quang": 7, "Xuân": 6, "Tuấn": 5,
         "Mạnh": 5, "Minh": 5, "Hoàng": 5, "Anh": 4, "Công": 2, "Thành": 2},
        {"Minh": 15, "Gia": 14, "Bảo": 11, "Đức": 9, "Tuấn": 9, "Quang": 8, "Hoàng": 7, "Anh": 7,
         "Văn": 6, "Đình": 4, "Hải": 4, "Nhật": 3, "Quốc": 3},
    ),
}  # fmt: skip

# Commonest first; how much rarer the later ones are is _fading's business.
_GIVEN_NAMES: Final = {
    FEMALE: (
        ("Hoa Lan Thanh Hợi Tý Mùi Thơm Nhung Vui Nụ Sửu Tuyết Hường Thoa Mận Đào Bình Vân Liên "
         "Nga Cúc Loan Xuyến Mơ Dần Lý Sen Thìn Én Khuyên Chắt Lựu Thắm Bưởi"),
        ("Hương Hà Thuỷ Hiền Nga Hằng Thu Lan Hạnh Loan Hoa Tâm Thuý Yến Liên Huệ Nhung Hồng "
         "Phượng Vân Mai Hường Luyến Xuân Dung Thoa Tình Quyên Nguyệt Oanh Lý Bích"),
        ("Trang Linh Hương Huyền Thảo Hà Phương Lan Ngọc Anh Hằng Nhung Thuỳ Dung Mai Ly Quỳnh Vân "
         "Yến Thu Hiền Nga Hạnh Oanh Giang Tâm Duyên Nhàn"),
        ("Anh Linh Ngọc Chi Vy Nhi Hân Trâm Châu My An Ngân Diệp Thư Hà Mai Thảo Quỳnh Phương "
         "Trang Vân Khuê Giang Yến Trúc"),
    ),
    MALE: (
        ("Thành Bình Hùng Sơn Lợi Minh Thắng Hải Long Tuất Tân Quế Định Hoà Lâm Khang Thái Ngọ Sửu "
         "Thịnh Cường Xuân Quý Trường Vinh Nhâm Tý Khoát Dũng Chiến Hợi Thọ"),
        ("Hùng Dũng Tuấn Sơn Cường Hải Thắng Minh Thành "
         "Nam "  # codespell:ignore
         "Long Bình Hưng Tùng Trung Quân Hà Tiến "
         "Toàn Lâm Thanh Đông Chung Hoàn Kiên Phong Giang Việt Vinh Nghĩa"),
        ("Tuấn Anh Tú Hùng "
         "Nam "  # codespell:ignore
         "Đức Hiếu Long Quân Dũng Thắng Huy Hoàng Tùng Cường Linh Trung Đạt "
         "Thành Hải Kiên Sơn Phong Duy Vũ Trường Mạnh Khánh"),
        ("Anh Minh Huy Khôi Bảo Khang Phúc Long Quân Đức "
         "Nam "  # codespell:ignore
         "Phong Đạt An Duy Hưng Kiệt Lâm Khánh "
         "Sơn Dũng Thiên Hiếu Nguyên Tùng"),
    ),
}  # fmt: skip


def family_name(rng: random.Random, *, clans: tuple[str, ...] = ()) -> str:
    """Draw a family name; the clans of a village are four times as common there."""
    weights = {
        name: weight * 4 if name in clans else weight for name, weight in _FAMILY_NAMES.items()
    }
    return _draw(rng, weights)


def first_names(rng: random.Random, *, sex: str, age: int) -> str:
    """Draw middle and given names that fit sex ("female", "male") and age in years."""
    cohort = next(place for place, youngest in enumerate(_COHORTS) if age >= youngest)
    given = _GIVEN_NAMES[sex][cohort].split()
    middle = _draw(rng, _MIDDLE_NAMES[sex][cohort])
    chosen = _draw(rng, _fading(given))
    while chosen in middle.split():
        chosen = _draw(rng, _fading(given))
    return f"{middle} {chosen}".strip()


def _fading(names: list[str]) -> dict[str, int]:
    """Make each name a little rarer than the one before it."""
    return {name: 1000 // (place + 8) for place, name in enumerate(names)}


def _draw(rng: random.Random, weights: dict[str, int]) -> str:
    names, ends = list(weights), list(accumulate(weights.values()))
    return rng.choices(names, cum_weights=ends)[0]
