"""Stems from which synthetic organisations are named: place + stem, with the field of each."""

from __future__ import annotations

# (field of services.FIELDS, stem). Twelve fields, four stems each: the names in one community differ.
ORGANISATIONS = (
    (0, "居民议事会"), (1, "平安巡防队"), (2, "便民服务队"), (3, "文艺团"),
    (4, "银龄互助社"), (5, "四点半课堂"), (6, "健康小屋"), (7, "老娘舅调解室"),
    (8, "环境守护队"), (9, "应急救援队"), (10, "新居民之家"), (11, "助残帮扶社"),
    (0, "楼道自治会"), (1, "义务消防队"), (2, "巧手维修队"), (3, "越剧社"),
    (4, "助餐送餐队"), (5, "爱心课堂"), (6, "义诊服务队"), (7, "法律服务站"),
    (8, "垃圾分类宣导队"), (9, "应急互助队"), (10, "同乡互助会"), (11, "手语志愿社"),
    (0, "乡贤参事会"), (1, "交通劝导队"), (2, "红色代办队"), (3, "健身队"),
    (4, "陪伴老人志愿社"), (5, "亲子阅读社"), (6, "心理服务站"), (7, "和事佬工作室"),
    (8, "护河队"), (9, "寻人志愿队"), (10, "新居民服务社"), (11, "无障碍出行队"),
    (0, "业主监督队"), (1, "反诈宣讲队"), (2, "搬运帮帮队"), (3, "书画社"),
    (4, "居家养老服务社"), (5, "少年艺体社"), (6, "康复互助社"), (7, "邻里评理堂"),
    (8, "花园营造社"), (9, "防汛志愿队"), (10, "就业帮扶社"), (11, "助残陪伴社"),
)  # fmt: skip

# (field, kind, trade) of the Love Alliance's members.
MEMBERS = (
    (2, "enterprise", "爱心超市"), (6, "enterprise", "爱心药房"),
    (4, "enterprise", "爱心餐饮店"), (4, "enterprise", "爱心理发店"),
    (2, "enterprise", "家电维修店"), (6, "public_institution", "社区卫生站"),
    (5, "public_institution", "学校志愿队"), (5, "student_team", "大学生实践队"),
    (7, "enterprise", "律师服务队"), (2, "enterprise", "物业服务队"),
    (10, "enterprise", "皮革企业志愿队"), (10, "enterprise", "经编企业志愿队"),
    (1, "enterprise", "出租车志愿队"), (3, "enterprise", "书店"),
    (5, "enterprise", "培训机构"), (8, "enterprise", "花木公司志愿队"),
    (9, "social_organization", "救援志愿队"), (11, "social_organization", "助残志愿队"),
    (2, "enterprise", "银行网点志愿队"), (0, "enterprise", "商户联盟"),
    (6, "social_organization", "健康志愿队"), (3, "student_team", "青年文艺队"),
    (4, "social_organization", "银龄志愿队"),
)  # fmt: skip

# The units joined in party building: (field, trade, the scarce skill that its volunteers bring).
JOINT_UNITS = (
    (5, "小学", None), (5, "中学", None), (5, "幼儿园", None), (6, "医院", "nursing_care"),
    (6, "卫生院", "physiotherapy"), (2, "银行", None), (0, "税务", None), (2, "供电", None),
    (2, "供水", None), (2, "燃气", None), (2, "邮政", None), (2, "通信", None),
    (9, "消防", "hornet_removal"), (1, "交警", None), (1, "派出所", None), (7, "司法所", "legal_advice"),
    (7, "法院", "legal_advice"), (7, "检察", None), (3, "图书馆", None), (3, "文化馆", None),
    (3, "体育", None), (4, "民政", "bereaved_company"), (0, "市场监管", None), (8, "环卫", None),
    (1, "公交", None), (6, "心理卫生", "psychological_support"), (11, "特殊教育", "sign_language"),
)  # fmt: skip
