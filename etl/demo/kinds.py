"""What happens in the city: categories with their department, rhythm, time limit and words."""

from __future__ import annotations

from dataclasses import dataclass

DEPARTMENTS: dict[str, str] = {
    "public_security": "公安局",
    "civil_affairs": "民政局",
    "command_centre": "联勤指挥中心",
    "government_service": "政务服务局",
    "justice": "司法局",
    "education": "教育局",
    "health": "卫生健康局",
    "emergency": "应急管理局",
    "natural_resources": "自然资源局",
    "city_management": "城市管理局",
    "market_regulation": "市场监管局",
    "water": "水务局",
    "transport": "交通运输局",
    "housing": "住房建设局",
    "ecology": "生态环境局",
    "agriculture": "农业农村局",
}
"""Departments as deliveries write them."""


@dataclass(frozen=True)
class Happening:
    """A category of events: label, department, share, spread over the year and the day, and how much storms raise it.

    `crowding` is the power of a grid's crowding its number rises with; `limit_h` the time limit in hours, 0 for none.
    """

    label: str
    department: str
    share: float
    year: str
    hours: str
    limit_h: float
    crowding: float
    words: tuple[str, ...]
    storm: float = 0.0
    urgent_share: float = 0.02


HAPPENINGS: dict[str, Happening] = {
    "street_order": Happening(
        "街面秩序", "city_management", 14, "even", "work", 24, 1.4, ("占道经营", "乱摆卖", "车辆乱停放")
    ),
    "city_appearance": Happening(
        "市容环境", "city_management", 17, "even", "work", 24, 1.1, ("垃圾未清运", "乱堆放杂物", "沟渠有漂浮物")
    ),
    "advertising": Happening("宣传广告", "city_management", 5, "even", "work", 48, 1.3, ("违规张贴广告", "广告牌破损")),
    "construction": Happening("施工管理", "housing", 5, "dry", "work", 72, 1.0, ("工地扬尘", "围挡缺失", "余泥占道")),
    "road_damage": Happening("道路破损", "transport", 6, "wet", "work", 120, 0.6, ("路面坑洼", "人行道板松动"), 1.5),
    "lighting": Happening("照明故障", "city_management", 4, "even", "evening", 72, 0.9, ("路灯不亮", "灯杆倾斜"), 1.0),
    "drainage": Happening(
        "排水积水", "water", 5, "wet", "all_day", 24, 1.0, ("路面积水", "井盖缺失", "管道堵塞"), 9.0, 0.15
    ),
    "noise": Happening(
        "噪音扰民", "ecology", 7, "summer", "evening", 24, 1.5, ("夜间施工噪音", "广场舞音响过大", "宵夜档喧哗")
    ),
    "traffic": Happening("交通秩序", "transport", 6, "even", "rush", 24, 1.3, ("路口拥堵", "信号灯故障", "货车占道")),
    "fire_hazard": Happening(
        "消防隐患", "emergency", 7, "dry", "work", 48, 0.9, ("消防通道堵塞", "电动车飞线充电", "灭火器过期"), 0.0, 0.1
    ),
    "flood": Happening(
        "汛情", "emergency", 2.5, "flood", "all_day", 8, 0.1, ("河水上涨", "山塘水位偏高", "低洼处进水"), 14.0, 0.6
    ),
    "food_safety": Happening(
        "食品安全", "market_regulation", 3.5, "summer", "all_day", 72, 1.2, ("食品过期", "无证经营")
    ),
    "labour": Happening("劳资纠纷", "housing", 2.5, "new_year", "work", 168, 0.9, ("拖欠工资", "工伤赔偿争议")),
    "neighbour_dispute": Happening(
        "邻里纠纷", "justice", 4, "even", "evening", 168, 0.6, ("宅基地边界争议", "漏水争议")
    ),
    "land_dispute": Happening(
        "土地纠纷", "natural_resources", 2, "dry", "work", 360, -0.3, ("承包地界不清", "林地权属争议")
    ),
    "public_service": Happening(
        "民生服务", "government_service", 6, "even", "work", 0, 0.5, ("低保咨询", "社保办理", "老人需上门服务")
    ),
    "environment": Happening(
        "环境污染", "ecology", 3.5, "summer", "all_day", 72, 0.2, ("露天焚烧", "污水直排", "养殖异味")
    ),
}
"""Categories of grid events; shares are parts of their sum."""

CALLS: dict[str, float] = {
    "noise": 20, "public_service": 24, "traffic": 10, "city_appearance": 8, "drainage": 6, "road_damage": 6,
    "lighting": 5, "food_safety": 8, "environment": 6, "construction": 4, "labour": 5,
}  # fmt: skip
"""Categories people call the hotline for, with their shares."""

POSTS: dict[str, float] = {
    "public_service": 30, "road_damage": 16, "environment": 14, "drainage": 12, "lighting": 12, "city_appearance": 10,
    "land_dispute": 6,
}  # fmt: skip
"""Categories villagers post about on the village platform, with their shares."""

QUARRELS: dict[str, tuple[str, float, float]] = {
    "neighbour_dispute": ("邻里纠纷", 38, 0.6),
    "land_dispute": ("土地纠纷", 16, -0.2),
    "labour": ("劳资纠纷", 18, 1.0),
    "family_dispute": ("家庭纠纷", 20, 0.7),
    "minor_protection": ("未成年人保护", 4, 0.8),
    "mental_health": ("心理健康求助", 4, 0.9),
}
"""Categories of disputes: label, share, power of crowding. The last three are sensitive."""
