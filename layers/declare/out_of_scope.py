"""What is never taken in, by decision: nobody's religion, ethnicity, politics, face, tracks, membership or score.

The map serves places and duties. What would sort people by belief or descent, follow them about or judge them is left
out at the door: a declaration that asks for it is wrong, and a delivered column of that kind is dropped and named.
"""

from __future__ import annotations

import re

_EVERYWHERE = {
    "religion": ("宗教", "信仰", "religion", "religious", "faith"),
    "ethnicity": ("民族", "族别", "ethnic", "ethnicity", "minzu"),
    "political views": (
        "政治面貌", "党派", "党员", "入党", "politics", "political", "party member", "party membership"
    ),
    "faces and other biometrics": ("人脸", "面部", "虹膜", "指纹", "face", "faces", "facial", "fingerprint", "iris"),
    "tracks or live positions": ("轨迹", "行踪", "实时位置", "track", "tracks", "trajectory", "live position"),
    "member lists": ("成员名单", "会员名单", "人员名单", "member list", "member names"),
}  # fmt: skip
_OF_PEOPLE = {
    "scores and predictions about people": (
        "评分", "得分", "积分", "信用分", "风险等级", "预测", "score", "scoring", "rating", "prediction", "risk level"
    ),
}  # fmt: skip

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def out_of_scope(heading: str, *, of_people: bool) -> str | None:
    """Name what a key or heading asks for that is never taken in, or None.

    Parameters
    ----------
    heading
        A column's key, or its heading in the delivery. Chinese is found anywhere in it, English as whole words, so
        that `surface` is no face.
    of_people
        Whether the rows are people, households or those who walk the grids; scores are refused there only.
    """
    words = f" {' '.join(_WORD.findall(heading)).lower()} "
    for what, signs in (_EVERYWHERE | _OF_PEOPLE if of_people else _EVERYWHERE).items():
        if any(f" {sign} " in words if sign.isascii() else sign in heading for sign in signs):
            return what
    return None
