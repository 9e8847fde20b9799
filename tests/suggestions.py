"""Made-up suggestions of residents: 236 texts about 43 things, each said in five or six ways."""

from __future__ import annotations

N_TEXTS = 236

THINGS = """
村口路灯 | 坏了好几天 | 尽快维修
文化广场健身器材 | 太少老人没地方锻炼 | 加装
县城公交班次 | 间隔太长 | 增加
幼儿园门口斑马线 | 磨损看不清 | 重新划线
河边护栏 | 断了一截 | 修补
农贸市场下水道 | 堵塞污水外溢 | 疏通
垃圾桶 | 装满无人清运 | 及时清运
卫生院夜间门诊 | 没有医生值班 | 安排值班
小学校车 | 超载 | 增派车辆
快递站点 | 离村太远 | 设代收点
水库泄洪警报 | 听不见 | 装喇叭
自来水 | 水压不足经常停 | 改造管网
变压器 | 夏天跳闸 | 扩容
古榕树枯枝 | 快掉下来 | 修剪
停车场车位 | 被外来货车占满 | 加强管理
公厕 | 异味重没人打扫 | 安排保洁
流浪狗 | 成群追人 | 捕捉收容
养猪场 | 臭气熏人 | 查处整改
烧烤摊油烟 | 熏得不敢开窗 | 取缔
工地渣土车 | 深夜鸣笛扬尘 | 限时通行
桥面伸缩缝 | 开裂颠簸 | 检修
祠堂电线 | 老化裸露 | 更换线路
图书室 | 常年关门 | 按时开放
机耕路 | 泥泞农机进不去 | 硬化
灌溉水渠 | 淤积断流 | 清淤
社保窗口 | 排长队 | 增设窗口
养老金认证 | 老人不会用手机 | 上门办理
宽带信号 | 差网课卡顿 | 建基站
山塘堤坝 | 渗漏 | 加固
校门口小贩 | 堵路乱摆卖 | 划定摊位
电动车充电桩 | 不够大家飞线 | 新建
电梯 | 频繁困人 | 检验更换
消防栓 | 没水压 | 检查维护
化粪池井盖 | 破碎容易踩空 | 换新盖
篮球场灯光 | 打到半夜扰民 | 定时关灯
殡葬服务费 | 不透明 | 公开标准
合作医疗报销 | 手续繁琐来回跑 | 简化流程
危房 | 屋顶塌陷没人管 | 鉴定改造
红绿灯 | 时间太短过不了马路 | 调整时长
塑料薄膜 | 丢满田头 | 回收处理
码头渔船 | 乱停挡住航道 | 规范停靠
茶园农药瓶 | 随手扔进溪里 | 设回收箱
残疾人坡道 | 太陡轮椅上不去 | 重建
"""
SAYINGS = (
    "{thing}{matter}",
    "建议{wish}{thing}，{matter}",
    "{thing}{matter}，请{wish}",
    "反映一下{thing}，{matter}",
    "{thing}一直{matter}，希望{wish}",
    "我们这边{thing}{matter}，盼{wish}",
)


def suggestions() -> list[tuple[int, str]]:
    """Each text with the number of the thing it is about; all first ways of saying come before all second ones."""
    things = [[part.strip() for part in line.split("|")] for line in THINGS.strip().splitlines()]
    texts = [
        (number, saying.format(thing=thing, matter=matter, wish=wish))
        for saying in SAYINGS
        for number, (thing, matter, wish) in enumerate(things)
    ]
    return texts[:N_TEXTS]
