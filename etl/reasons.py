"""Why a delivered row is not loaded, and what its department has to mend: the whole table of reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from layers.declare.records import Text


@dataclass(frozen=True)
class Reason:
    """One reason for quarantine: its key, what is the matter, and the remedy, in both languages."""

    key: str
    name: Text
    remedy: Text


def _reason(key: str, name_zh: str, name_en: str, remedy_zh: str, remedy_en: str) -> tuple[str, Reason]:
    return key, Reason(key, Text(name_zh, name_en), Text(remedy_zh, remedy_en))


REASONS: Mapping[str, Reason] = MappingProxyType(
    dict(
        (
            _reason("wrong_field_count", "字段数不对", "wrong number of fields",
                    "该行的字段数与表头不同，检查是否多了或少了分隔符。",
                    "The row has more or fewer fields than the heading: look for a missing or extra separator."),
            _reason("missing_value", "缺少必填值", "value missing",
                    "这一栏必须填写，请补上后重新报送。",
                    "This column must be filled in: add the value and deliver again."),
            _reason("not_a_number", "不是数字", "not a number",
                    "这一栏只能填数字，去掉单位和文字。", "Only a number may stand here: remove units and words."),
            _reason("not_a_date", "不是日期", "not a date",
                    "请写成 2026-03-05 或 2026-03-05 14:30:00，并核对该日期是否存在。",
                    "Write it as 2026-03-05 or 2026-03-05 14:30:00, and check that the day exists."),
            _reason("date_in_future", "日期在未来", "date in the future",
                    "日期晚于今天，请核对年份。", "The date lies after today: check the year."),
            _reason("date_too_early", "日期过早", "date too early",
                    "日期早于 1900 年，请核对年份。", "The date lies before 1900: check the year."),
            _reason("date_is_nought", "空日期", "a nought for a date",
                    "这是软件把空单元格写成的日期（如 1899-12-30、1900-01-01、1970-01-01），请填真实日期或留空。",
                    "It is what a spreadsheet or database makes of an empty cell, such as 1899-12-30, 1900-01-01 or "
                    "1970-01-01: give the real date, or leave it empty."),
            _reason("date_is_serial", "日期成了数字", "a number instead of a date",
                    "这是表格软件的日期序号（如 46086），请把该列设为日期格式后重新导出。",
                    "It is a spreadsheet's number for a day, such as 46086: format the column as dates, export again."),
            _reason("two_digit_year", "年份只有两位", "year of two digits",
                    "请写四位年份，如 2026-03-05。", "Write the year with four digits, such as 2026-03-05."),
            _reason("unknown_code", "代码不在表内", "unknown code",
                    "该值不在数据集声明的代码表内，请改用表内的值。",
                    "The value is not among the codes declared for this column: use one of them."),
            _reason("unknown_category", "类别不存在", "unknown category",
                    "该类别未在 categories.toml 中声明，请改用已有类别或先声明它。",
                    "This category is not declared in categories.toml: use a declared one, or declare it first."),
            _reason("bad_id_number", "身份号码无效", "ID number not valid",
                    "号码应为 18 位且校验位正确，请与证件核对。",
                    "It must have 18 characters and a right check digit: compare it with the document."),
            _reason("old_id_number", "旧版 15 位号码", "old number of 15 digits",
                    "15 位旧号码已停用，请改填 18 位公民身份号码。",
                    "Numbers of 15 digits are no longer in use: give the one of 18 characters."),
            _reason("digits_lost", "号码位数丢失", "digits lost",
                    "表格软件把号码当作数字，末尾几位已丢失，请将该列设为文本后重新填写。",
                    "A spreadsheet took the number for an amount and lost its last digits: format the column as text "
                    "and enter it again."),
            _reason("disagrees_with_number", "与身份号码不符", "disagrees with the ID number",
                    "出生日期或性别与身份号码中的不一致，请与证件核对。",
                    "The day of birth or the sex is not the one in the ID number: compare both with the document."),
            _reason("bad_credit_code", "统一社会信用代码无效", "credit code not valid",
                    "代码应为 18 位且校验位正确，请与营业执照核对。",
                    "It must have 18 characters and a right check character: compare it with the licence."),
            _reason("bad_phone", "电话号码无效", "phone number not valid",
                    "请填 11 位手机号或带区号的固定电话。",
                    "Give an 11-digit mobile number or a landline with its area code."),
            _reason("duplicate_key", "键值重复", "key delivered twice",
                    "同一文件中前面已有相同键值的行，请保留一行。",
                    "An earlier row of the same file has the same key: keep only one of them."),
            _reason("duplicate_value", "值已属于另一条记录", "value of another record",
                    "该值在本数据集中已属于另一键值的记录，请核对是录错还是重复登记。",
                    "The value belongs to a row with another key already: it is mistyped, or entered twice."),
            _reason("rule_broken", "字段之间矛盾", "fields contradict each other",
                    "该值与同一行的另一个字段或声明的规则矛盾，请核对。",
                    "The value contradicts another field of the row, or a declared rule: check both."),
            _reason("garbled_text", "文字乱码", "garbled text",
                    "文字在转换编码时损坏，请从原系统用 UTF-8 或 GB18030 重新导出。",
                    "The text was damaged by a change of encoding: export it again as UTF-8 or GB18030."),
            _reason("bad_coordinates", "坐标有误", "coordinates wrong",
                    "经纬度不是数字，或超出范围；请用十进制度，或写成 115°22′12.8″。",
                    "Longitude and latitude are no numbers or out of range: "
                    "give decimal degrees, or write 115°22′12.8″."),
            _reason("swapped_coordinates", "经纬度填反", "longitude and latitude swapped",
                    "经度与纬度（或东坐标与北坐标）填反了，请对调；测绘的 X 是北坐标，Y 是东坐标。",
                    "Longitude and latitude, or easting and northing, stand in each other's place: exchange them. "
                    "Surveyors' X is the northing, Y the easting."),
            _reason("zero_coordinates", "坐标为零", "coordinates are zero",
                    "坐标为 0，等于没有填写，请补上；确实没有时请留空。",
                    "Coordinates of 0 and 0 mean that nothing was filled in: add them, or leave them empty."),
            _reason("outside_city", "在本市之外", "outside the city",
                    "坐标离本市太远，请核对坐标及其坐标系。",
                    "The point lies far outside the city: check it and its coordinate system."),
            _reason("out_of_range", "数值超出范围", "number out of range",
                    "数值不在数据集声明的最小值与最大值之间，请核对。",
                    "The number is not between the declared minimum and maximum: check it."),
            _reason("closed_before_reported", "结案早于上报", "closed before reported",
                    "结案时间早于上报时间，请核对两个时间。",
                    "The closing time lies before the reporting time: check both."),
            _reason("bad_grid_code", "网格编码有误", "grid code wrong",
                    "编码应为 6、9、12 或 15 位数字并属于本市。",
                    "A code has 6, 9, 12 or 15 digits and belongs to this city."),
            _reason("bad_geometry", "图形有误", "geometry wrong",
                    "图形的顶点无法换算坐标，或图形种类不对，请在制图软件中检查后重新导出。",
                    "A corner of the shape lies nowhere, or it is of the wrong kind: "
                    "check it in the mapping software and export again."),
            _reason("empty_geometry", "图形为空", "geometry empty",
                    "图形里没有任何点，请重新绘制；确实没有位置时请删去图形。",
                    "The shape holds no point: draw it again, or deliver the row without a shape."),
            _reason("too_few_points", "图形点数不足", "too few points in the shape",
                    "面的每一圈至少要有 4 个点（首尾相同），线至少要有 2 个不同的点，请补画。",
                    "A ring of an area needs at least 4 points, the last being the first, and a line 2: "
                    "draw it again."),
            _reason("self_crossing", "图形自相交", "shape crosses itself",
                    "图形的边自相交，修复会改变面积，无法判断原意，请在制图软件中改好后重新导出。",
                    "The border crosses itself, and mending it would change the area, so that nobody knows what was "
                    "meant: correct it in the mapping software and export again."),
            _reason("unknown_parent", "上级记录不存在", "what it belongs to is not there",
                    "所属事件尚未入库，请先报送该事件，再报送其步骤。",
                    "The row it belongs to is not loaded: deliver that one first, then this one."),
            _reason("too_long", "文字过长", "text too long",
                    "文字超过长度上限，请缩短。", "The text is longer than allowed: shorten it."),
        )
    )
)  # fmt: skip
"""Every reason a row can be quarantined for, by key."""


def remedy_of(reason: str) -> str:
    """Remedy of a reason in both languages, as it is stored with a quarantined row."""
    remedy = REASONS[reason].remedy
    return f"{remedy.zh} {remedy.en}"
