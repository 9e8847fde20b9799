"""What grids are called: names put together so that no village name hides inside another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etl.demo.mesh import Ints

Texts = NDArray[np.object_]


def words(text: str) -> tuple[str, ...]:
    """Words of a text, parted by spaces."""
    return tuple(text.split())


COUNTIES = ("临海区", "望潮区", "青峦区", "云浦区")

TOWNS = words(
    "青石 沙屿 白鹭塘 潮汐 石鼓 龙眠 金穗 松涛 水云 梅溪 田歌 海螺 荷塘 赤霞 鹤埠 小帆 晴岚 吉庆 南岬 鸥湖 "
    "翠岭 甲波 北湾 桥影 帆洋 潭月 上渔 蓝陂 河汀 九曲 云岫 内港 新澳 公渡 黄栌 联塘 大汐 陶溪 枫城 后澳 "
    "赤礁 圆月 梅坞 莲汀 星屿 铜鼓 珊瑚 罗汉溪 橘洲 红枫 马鞍 田螺 遮月 东屿 高澜 宝塔 石笋 银杏"
)

STREETS = words(
    "东涌 凤山 香洲 新港 文亭 望海 城南 滨江 长沙 海棠 紫荆 朝阳 前进 永安 西门 北郊 南门 码头 学宫 古榕 "
    "双桥 明湖 云台 锦绣"
)

FIRST = words("东 西 上 下 新 老 大 小 青 白 黄 红 金 银 龙 凤 石 水 竹 松 梅 莲 桃 梨 乌 高 深 长 横 双")
SECOND = words("桥 岭 坑 围 田 湖 岗 寮 坪 埔 角 洲 渡 塘 墩 洋")
FAMILIES = words("陈 林 黄 张 李 吴 郑 蔡 刘 许 谢 杨 郭 王 叶 卢 罗 钟 余 庄 邱 曾 彭 温 何 施 杜 沈 蓝 范")
HOMES = words("家围 家寨 家楼 厝边 屋背 家祠")

QUARTER_FIRST = words("文 建 安 和 永 福 德 仁 兴 光 富 康 明 瑞 祥 春 盛 华 宏 景")
QUARTER_SECOND = words("昌 设 宁 平 泰 顺 庆 民 荣 盛园 华苑 和苑 安里 福里 乐坊 成坊")


def town_names(is_street: NDArray[np.bool_], rng: np.random.Generator) -> Texts:
    """Name every large grid: streets end in 街道, towns in 镇; all differ, and the first town is 青石镇."""
    names = np.empty(len(is_street), dtype=object)
    names[is_street] = [f"{n}街道" for n in rng.permutation(STREETS)[: is_street.sum()]]
    towns = ["青石", *rng.permutation(TOWNS[1:])]
    names[~is_street] = [f"{n}镇" for n in towns[: (~is_street).sum()]]
    return names


def village_names(large: Ints, is_quarter: NDArray[np.bool_], n_repeated: int, rng: np.random.Generator) -> Texts:
    """Name every medium grid: residents' quarters end in 社区, villages in 村.

    All differ, but for `n_repeated` village names that stand in two towns each, as happens in earnest.
    """
    pairs = [a + b for a in FIRST for b in SECOND if a + b != "石桥"] + [a + b for a in FAMILIES for b in HOMES]
    villages = ["桥头", *rng.permutation(pairs)]
    quarters = rng.permutation([a + b for a in QUARTER_FIRST for b in QUARTER_SECOND])
    names = np.empty(len(large), dtype=object)
    names[is_quarter] = [f"{n}社区" for n in quarters[: is_quarter.sum()]]
    rows = np.flatnonzero(~is_quarter)
    names[rows] = [f"{n}村" for n in villages[: len(rows)]]
    other = rng.permutation(rows)
    given = 0
    for a, b in zip(other[: len(other) // 2], other[len(other) // 2 :], strict=False):
        if given < n_repeated and large[a] != large[b] and "桥头村" not in (names[a], names[b]):
            names[b] = names[a]
            given += 1
    return names


def group_names(medium_name: Texts, number: Ints) -> Texts:
    """Name every small grid after its village or quarter: 桥头村3组, 文昌社区第3网格."""
    is_village = np.array([str(name).endswith("村") for name in medium_name])
    named = [
        f"{name}{n}组" if village else f"{name}第{n}网格"
        for name, n, village in zip(medium_name, number, is_village, strict=True)
    ]
    return np.array(named, dtype=object)


def former_names(names: Texts, share: float, rng: np.random.Generator) -> Texts:
    """Give some places a former name, as old people still write it; empty text for the others."""
    old = {"村": "大队", "镇": "公社", "街道": "镇", "社区": "居委会"}
    former = []
    for name, has in zip(names, rng.random(len(names)) < share, strict=True):
        ending = next((e for e in ("街道", "社区", "镇", "村") if name.endswith(e)), "")
        former.append(name[: -len(ending)] + old[ending] if has and ending else "")
    repeated = {name for name, n in zip(*np.unique(names.astype(str), return_counts=True), strict=True) if n > 1}
    return np.array(["" if name in repeated else f for name, f in zip(names, former, strict=True)], dtype=object)
