"""What the columns of a pasted table are called, and what stands before lists that belong together."""

import re

HEADS = {
    "name": re.compile(
        r"(?:物资|物品|产品|品|商品|货品|设备|药品|耗材)?\s*(?:名称?|品名|种类|项目|物资|物品)|(?:items?|products?|goods|description|supplies)(?:\s*\S+)?",
        re.IGNORECASE,
    ),
    "number": re.compile(
        r"(?:申请|需求?|需要)?(?:箱|盒|件|瓶|包|桶|袋)数|(?:需求|需要|申请|缺口|所需|计划|急需)?(?:数量|数|量)(?:[\s(].*)?|申请|申领|需求|需要|所需|qty(?:[\s(].*)?|quantity|amount|number(?: needed)?|needed",
        re.IGNORECASE,
    ),
    "unit": re.compile(r"(?:计量)?单位|units?", re.IGNORECASE),
    "spec": re.compile(
        r"(?:规格|型号|标准|标准号|包装|要求|备注|技术要求|执行标准|规格型号|参数|说明)+(?:[/、和]?(?:规格|型号|标准|要求))*|specifications?|standards?|remarks?|notes?",
        re.IGNORECASE,
    ),
    "at": re.compile(r"序号|编号|no\.?|#", re.IGNORECASE),
}
STILL_HEAD = re.compile(
    r"(?:还|尚|仍)?(?:差|缺)(?:口|额|少)?(?:数量?)?|short(?: by)?|shortfall|missing|gap|outstanding",
    re.IGNORECASE,
)
PLAN_HEAD = re.compile(r"计划|原需求?|总需求?|目标|planned?|target", re.IGNORECASE)
STOCK_HEAD = re.compile(
    r"(?:.*(?:库存|现有|现存|存量|已有|已到|已收|结余|on hand|received).*|(?:in )?stock)", re.IGNORECASE
)
DAILY_HEAD = re.compile(
    r"日(?:均)?(?:用|消耗|需求?|耗)量?|每[日天](?:用|消耗|需求?)?量?|daily use|per day|burn rate",
    re.IGNORECASE,
)
COUNTED_HEAD = re.compile(r"(?:申请|需求?|需要)?(?P<unit>箱|盒|件|瓶|包|桶|袋)数")
ITEMS_LEAD = re.compile(
    r"(?:品名|名称|物资|物品|items?|goods|products?)(?:名称)?\s*:[^\n]*\n\s*(?=(?:规格|标准|数量|型号|standards?|quantit))",
    re.IGNORECASE,
)
COLUMN_LEAD = re.compile(
    r"\s*(?:(?P<number>(?:对应|需求|所需)?数量|需求量?|申请量?|缺口|quantit(?:y|ies)|qty)|(?:产品|执行|对应|相应|参考|技术|质量)?(?:标准|要求|规格|型号|规格型号)|standards?|requirements?|specifications?)(?:依次|分别)?(?:为|是)?\s*:\s*",
    re.IGNORECASE,
)
BAR = r"\s*\|\s*"


def is_a_head(word: str) -> bool:
    heads = (*HEADS.values(), STOCK_HEAD, DAILY_HEAD, STILL_HEAD, PLAN_HEAD)
    first = word.split(" ")[0]
    return any(head.fullmatch(word) or head.fullmatch(first) for head in heads)


def is_head_of_slashes(line: str) -> bool:
    return line.count(" / ") > 1 and sum(map(is_a_head, line.split(" / "))) > 1
