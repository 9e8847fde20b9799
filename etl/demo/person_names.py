"""Names of people, put together from common surnames and the given names of their generation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etl.demo.mesh import Ints
from etl.demo.names import Texts, words

SURNAMES = words(
    "陈 林 黄 李 张 王 刘 吴 蔡 郑 杨 许 谢 郭 叶 罗 钟 曾 彭 庄 周 徐 朱 胡 何 高 梁 宋 唐 邓 冯 韩 曹 余 潘 "
    "苏 卢 蒋 魏 吕 丁 沈 任 姚 傅 姜 范 方 石 廖 邹 熊 陆 孔 崔 邱 江 史 顾 侯 邵 孟 龙 万 段 钱 汤 黎 欧阳 司徒"
)

_GIVEN = {
    ("old", True): (
        "国 建 志 德 福 金 水 木 永 文 炳 秀 汉 庆 清 锦",
        "强 华 明 财 贵 荣 生 发 祥 才 辉 昌 来 成 兴 海",
    ),
    ("old", False): ("秀 玉 桂 美 丽 惠 月 淑 素 春 金 凤 瑞 巧", "英 兰 珍 芳 梅 莲 花 香 娥 娟 霞 琴 云 凤"),
    ("new", True): ("梓 浩 子 俊 嘉 泽 宇 晨 睿 铭 奕 家 伟 志", "轩 宇 涵 杰 豪 铭 辰 宸 昊 博 航 熙 鹏 阳"),
    ("new", False): ("梓 雨 思 诗 欣 嘉 佳 紫 晓 婉 语 可 静 雅", "涵 萱 怡 琪 彤 妍 婷 瑶 洁 颖 晴 悦 桐 雯"),
}

NEW_SINCE = 1985


def surnames(n: int, rng: np.random.Generator) -> Texts:
    """Surnames, common ones more often."""
    weights = 1 / np.arange(3, len(SURNAMES) + 3)
    return np.asarray(np.array(SURNAMES, dtype=object)[rng.choice(len(SURNAMES), size=n, p=weights / weights.sum())])


def given_names(born_year: Ints, is_male: NDArray[np.bool_], rng: np.random.Generator) -> Texts:
    """Given names of one or two characters after sex and year of birth."""
    n = len(born_year)
    given = np.empty(n, dtype=object)
    is_new = born_year >= NEW_SINCE
    is_short = rng.random(n) < 0.14
    for (age, male), (first, second) in _GIVEN.items():
        rows = np.flatnonzero((is_new == (age == "new")) & (is_male == male))
        a = rng.choice(np.array(words(first), dtype=object), len(rows))
        b = rng.choice(np.array(words(second), dtype=object), len(rows))
        given[rows] = np.where(is_short[rows], "", a) + b
    return given
