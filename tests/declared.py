"""A small catalog to break: one declaration of each kind and table, all of them right."""

from __future__ import annotations

from pathlib import Path

NAME = 'name = { zh = "名", en = "Name" }'
ROW = 'each_row_is_a = { zh = "一行", en = "a row" }'

FILES = {
    "city.toml": f"""\
code = "4499"
{NAME}
zone = "Asia/Shanghai"
edition = 1
edition_name = "2023"
opened_on = 2023-01-01
[counties]
449901 = {{ zh = "临海区", en = "Linhai" }}
""",
    "departments.toml": """\
education = { zh = "教育局", en = "Education" }
justice = { zh = "司法局", en = "Justice" }
""",
    "categories.toml": """\
noise = { zh = "噪音", en = "Noise", table = "event", department = "justice" }
flood = { zh = "汛情", en = "Flood", table = "event" }
family = { zh = "家庭纠纷", en = "Family", table = "event", sensitive = true }
school = { zh = "学校", en = "School", table = "place" }
household = { zh = "住户", en = "Household", table = "organisation", sensitive = true }
""",
    "calendar.toml": """\
slots = ["08:00-12:00", "14:00-18:00"]
[years.2025]
holidays = [2025-01-01, 2025-01-28]
make_up_days = [2025-01-26]
""",
    "limits.toml": """\
reopens = ["noise"]
[normal]
any = { amount = 5, unit = "working_days" }
noise = { amount = 4, unit = "working_hours" }
[urgent]
flood = { amount = 2, unit = "urgent_hours" }
[answer]
large = 15
[[due]]
since = 2023-01-01
[[due]]
since = 2025-01-01
suspended = false
""",
    "routing.toml": """\
[[routes]]
department = "justice"
categories = ["flood"]
hours = "18:00-08:00"
[[routes]]
department = "education"
within = ["4499"]
days = "off"
season = ["06-01", "10-01"]
[[routes]]
categories = ["noise"]
""",
    "emergency.toml": """\
[protected]
school = { show = ["number"] }
[resources]
school = { nearest = 3 }
""",
    "breakdowns/age.toml": f"""\
{NAME}
by = ["age"]
ages = [0, 60]
""",
    "breakdowns/sex.toml": f"""\
{NAME}
by = ["sex"]
""",
    "datasets/school.toml": f"""\
{NAME}
department = "education"
table = "place"
{ROW}
row_key = ["number"]
category = "school"
[source]
files = "school*.csv"
format = "csv"
crs = "GCJ-02"
lon = "经度"
lat = "纬度"
[columns]
number = {{ from = "编号", type = "text", required = true }}
name = {{ from = "名称", type = "text" }}
n_pupils = {{ from = "学生数", type = "integer", min = 0, max = 9999, default = 0 }}
[expect]
rows = [1, 500]
quarantine_share_max = 0.05
""",
    "datasets/call.toml": f"""\
{NAME}
department = "justice"
table = "event"
{ROW}
row_key = ["number"]
[source]
files = "call.xlsx"
format = "xlsx"
sheet = "Sheet1"
header_row = 3
address = "地址"
[columns]
number = {{ from = "编号", type = "text", required = true }}
reported_at = {{ from = "时间", type = "moment", required = true }}
category = {{ from = "类别", type = "category", codes = {{ "噪音" = "noise", "汛" = "flood" }} }}
state = {{ from = "状态", type = "state", codes = {{ "已结" = "closed" }}, default = "reported" }}
caller = {{ from = "联系人", type = "person_name" }}
phone = {{ from = "电话", type = "phone" }}
""",
    "datasets/call_step.toml": f"""\
{NAME}
department = "justice"
table = "event_step"
of_dataset = "call"
{ROW}
row_key = ["event_key", "step_no"]
[source]
files = "call_step.csv"
format = "csv"
[columns]
event_key = {{ from = "编号", type = "key", required = true }}
step_no = {{ from = "序号", type = "integer", required = true }}
at = {{ from = "时间", type = "moment", required = true }}
state = {{ from = "状态", type = "state", required = true, codes = {{ "办结" = "closed" }} }}
""",
    "datasets/quarrel.toml": f"""\
{NAME}
department = "justice"
table = "event"
{ROW}
row_key = ["*"]
category = "family"
[source]
files = "quarrel.csv"
format = "csv"
[columns]
reported_at = {{ from = "月份", type = "month", required = true }}
""",
    "datasets/home.toml": f"""\
{NAME}
department = "justice"
table = "organisation"
{ROW}
row_key = ["number"]
category = "household"
[source]
files = "home.csv"
format = "csv"
[columns]
number = {{ from = "户号", type = "key", required = true }}
""",
    "datasets/resident.toml": f"""\
{NAME}
department = "justice"
table = "person"
{ROW}
row_key = ["number"]
[source]
files = "resident.csv"
format = "csv"
encoding = "gb18030"
grid_code = "网格编码"
[columns]
number = {{ from = "公民身份号码", type = "id_number", required = true }}
name = {{ from = "姓名", type = "person_name" }}
sex = {{ from = "性别", type = "code", codes = {{ "男" = "male", "女" = "female" }} }}
""",
    "datasets/patient.toml": f"""\
{NAME}
department = "education"
table = "person"
{ROW}
row_key = ["card"]
rules = [
  "sex agrees with number",
  "left_on >= came_on if state = 'left'",
  "left_on is required if state = 'left'",
]
[source]
files = "patient.csv"
format = "csv"
[columns]
card = {{ from = "卡号", type = "key", required = true }}
number = {{ from = "公民身份号码", type = "id_number" }}
sex = {{ from = "性别", type = "code", codes = {{ "男" = "male", "女" = "female" }} }}
state = {{ from = "状态", type = "code", codes = {{ "出院" = "left", "在院" = "here" }} }}
came_on = {{ from = "入院", type = "date" }}
left_on = {{ from = "出院", type = "date" }}
n_days = {{ from = "天数", type = "integer" }}
phone = {{ from = "电话", type = "phone" }}
[expect]
drop_share_max = 0.3
fill = {{ number = 0.9, phone = [0.1, 0.9] }}
[[unique]]
columns = ["number"]
repeats = "reported"
""",
    "datasets/grid_small.toml": f"""\
{NAME}
department = "justice"
table = "grid"
level = "small"
{ROW}
row_key = ["code"]
[source]
files = "grids.gpkg"
format = "geopackage"
layer = "grid_small"
crs = "EPSG:4490"
[columns]
code = {{ from = "编码", type = "grid_code", required = true }}
name = {{ from = "名称", type = "text", required = true }}
""",
    "layers/school.toml": f"""\
{NAME}
element = "place"
datasets = ["school"]
draw = "point"
colour = "#c8a6ff"
icon = "school"
order = 20
zoom_min = 11
""",
    "layers/call.toml": f"""\
{NAME}
element = "event"
datasets = ["call"]
draw = "point"
colour = "#ff8a5c"
icon = "event"
order = 10
shown = true
zoom_min = 14
""",
    "indicators/calls.toml": f"""\
{NAME}
unit = {{ zh = "件", en = "calls" }}
formula = "count"
period = "month"
[count]
datasets = ["call"]
categories = ["noise"]
[classes]
method = "fixed"
breaks = [1, 5, 10]
""",
    "indicators/closed_share.toml": f"""\
{NAME}
unit = {{ zh = "%", en = "%" }}
formula = "share"
period = "year"
factor = 100
digits = 1
better = "more"
[count]
datasets = ["call"]
states = ["closed"]
[of]
datasets = ["call"]
""",
    "indicators/population.toml": f"""\
{NAME}
unit = {{ zh = "人", en = "people" }}
formula = "people"
period = "now"
""",
    "scenarios/quiet.toml": f"""\
{NAME}
question = {{ zh = "哪里吵？", en = "Where is it loud?" }}
layers = ["call"]
indicators = ["calls"]
categories = ["noise"]
""",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write declarations into a folder."""
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
