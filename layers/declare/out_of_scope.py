"""What is never taken in, by decision: nobody's religion, ethnicity, politics, face, tracks, membership or score.

The map serves places and duties. What would sort people by belief or descent, follow them about or judge them is left
out at the door: a declaration that asks for it is wrong, and a delivered column of that kind is dropped and named.
"""

from __future__ import annotations

import re
import unicodedata

_EVERYWHERE = {
    "religion": (
        "宗教", "信仰", "教派", "信教", "信众", "religion", "religions", "religious", "faith", "belief", "zongjiao"
    ),
    "ethnicity": (
        "民族", "族别", "族裔", "种族", "ethnic", "ethnicity", "ethnicities", "ethnic group", "nationality group",
        "race", "minzu",
    ),
    "political views": (
        "政治面貌", "政治倾向", "政治立场", "政治表现", "党派", "党员", "入党", "党籍", "党龄", "团员",
        "politics", "political",
        "party member", "party members", "party membership", "party affiliation", "ccp member", "zzmm",
    ),
    "faces and other biometrics": (
        "人脸", "面部", "脸部", "虹膜", "指纹", "掌纹", "声纹", "步态", "人像", "生物特征", "face", "faces", "facial",
        "fingerprint", "fingerprints", "iris", "voiceprint", "gait", "biometric", "biometrics", "renlian",
    ),
    "video of people": (
        "视频", "录像", "监控画面", "抓拍", "video", "videos", "footage", "cctv", "camera feed"
    ),
    "tracks or live positions": (
        "轨迹", "行踪", "行程", "实时位置", "实时定位", "实时坐标", "当前位置", "定位历史", "track", "tracks",
        "tracking",
        "trajectory", "trajectories", "live position", "live location", "realtime position", "real time position",
        "realtime location", "real time location", "last seen", "guiji",
    ),
    "member lists": ("成员名单", "会员名单", "人员名单", "教徒名单", "member list", "members list", "member names"),
}  # fmt: skip
_OF_PEOPLE = {
    "scores and predictions about people": (
        "评分", "得分", "积分", "打分", "信用分", "信用等级", "分值", "风险等级", "风险值", "风险指数",
        "危险等级", "预测", "预警等级",
        "画像", "标签", "黑名单", "倾向性", "score", "scores", "scoring", "rating", "ratings", "prediction",
        "predicted",
        "risk level", "risk index", "risk class", "credit level", "profile tag", "blacklist", "propensity",
    ),
}  # fmt: skip

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_BETWEEN = re.compile(r"[\s·.,，、:：/()（）\[\]【】_\-]+")


def out_of_scope(heading: str, *, of_people: bool) -> str | None:
    """Name what a key or heading asks for that is never taken in, or None.

    Parameters
    ----------
    heading
        A column's key, or its heading in the delivery. Chinese is found anywhere in it, also with marks or spaces
        between its letters (民 族); English as whole words however they are joined (liveLocation, LIVE_LOCATION), so
        that `surface` is no face.
    of_people
        Whether the rows are people, households or those who walk the grids; scores are refused there only.
    """
    plain = unicodedata.normalize("NFKC", heading)
    words = f" {' '.join(_WORD.findall(plain)).lower()} "
    joined = _BETWEEN.sub("", plain)
    for what, signs in (_EVERYWHERE | _OF_PEOPLE if of_people else _EVERYWHERE).items():
        if any(f" {sign} " in words if sign.isascii() else sign in joined for sign in signs):
            return what
    return None
