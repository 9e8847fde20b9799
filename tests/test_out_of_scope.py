"""What is never taken in is recognised however it is spelt, and what only sounds like it is not."""

from __future__ import annotations

import pytest

from layers.declare.out_of_scope import out_of_scope

FOUND = """
religion    | 宗教信仰, 宗教, 信 仰, 是否信教, 教派, religion, Religious_Belief, faithGroup, ZONGJIAO
ethnicity   | 民族, 民 族, 民　族, 民族代码, 族别, 种族, ethnic_group, Ethnicity, ETHNIC_GROUP, race, minzu
political   | 政治面貌, 政治面貌代码, 政 治 面 貌, 党派, 是否党员, 入党时间, 党龄, politicalStatus, PartyMember
political   | party_membership, 政治立场
faces       | 人脸照片, 人脸特征值, 面部图像, 虹膜, 指纹信息, 声纹, 步态, face_image, faceId, FACIAL_FEATURE
faces       | fingerprint, iris
video       | 视频地址, 视频片段, 监控录像, 抓拍时间, video_url, VideoClip, CCTV, footage
tracks      | 轨迹, 活动轨迹, 行踪, 实时位置, 实时定位, 当前位置, track_points, gps_track, liveLocation, LIVE_POSITION
tracks      | last_seen, gpsTrajectory
member      | 成员名单, 会员名单（附件）, member_list, memberNames
"""

OF_PEOPLE = (
    "信用评分", "综合得分", "积分", "信用等级", "风险等级", "风险指数", "预测结果", "人员标签", "人物画像",
    "黑名单", "危险等级",
    "creditScore", "RISK_LEVEL", "predicted_risk", "rating", "risk_score", "blacklist",
)  # fmt: skip

OPEN = (
    "名称", "学校编号", "面积", "路面状况", "平面图", "表面积", "地面高程", "跟踪单位", "信访编号", "成员数",
    "人数", "联系人",
    "surface", "interface_no", "tracker_unit", "trackless", "third_party", "party_room", "residence",
    "irises_planted",
    "terrace", "place", "brace", "state", "videotex", "address", "embrace", "政府部门", "位置", "地址",
)  # fmt: skip


@pytest.mark.parametrize("line", FOUND.strip().splitlines())
def test_every_spelling_is_found(line: str) -> None:
    what, _, headings = line.partition("|")
    found = {heading.strip(): out_of_scope(heading.strip(), of_people=False) for heading in headings.split(",")}
    assert {h: said for h, said in found.items() if said is None or what.strip() not in said} == {}


@pytest.mark.parametrize("heading", OF_PEOPLE)
def test_scores_are_out_of_scope_for_people_only(heading: str) -> None:
    assert out_of_scope(heading, of_people=True) == "scores and predictions about people"
    assert out_of_scope(heading, of_people=False) is None


@pytest.mark.parametrize("heading", OPEN)
def test_what_only_sounds_like_it_is_open(heading: str) -> None:
    assert out_of_scope(heading, of_people=True) is None
