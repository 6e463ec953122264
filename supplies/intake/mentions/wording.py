"""Words and forms beside the names of goods: grades, brands, sizes, people, conditions, joints."""

import re

from supplies.intake.figures import HAN, MEASURE, SIZE_WORD, STRENGTH
from supplies.intake.reading.plain import TAKEN
from supplies.intake.reading.quantities import UNITS

SENTENCE_ENDS = "。;!?" + TAKEN
NOT_GOODS = re.compile(
    r"(?:口罩|手套|防护服|消毒液|消毒|面罩|眼罩)类(?=:)|床单位|口罩机|防护服生产|病床数|手套箱|中药房|救护车辆保障|N95级|防护用品生产|口罩厂|呼吸机治疗|无创呼吸机治疗|有创呼吸机治疗|ECMO治疗|疫苗接种|氧气站|酒精棉球?|酒精灯|口罩生产线|\d+-beds?\b|(?:at least|minimum|min\.?|>=?)\s*\d+\s?%\s*alcohol"
)
ENUMERATED = re.compile(rf"[(]\d{{1,2}}[)](?=\s*[{HAN}]{{2}})")
THE_OTHER_TOO = re.compile(r"(有创|无创)\s*[/、及和与]\s*$")
EACH_OF_THESE = re.compile(
    rf"(?:各|每[种样])\s*(?:需要?|约)?\s*(?P<figure>\d[\d,]*\s*[万千百]?\s*(?:{UNITS})?)\s*:"
)
JOINT = re.compile(r"共计?|合计|总计|总共|\b(?:in total|total(?:ling)?|altogether|combined)\b", re.IGNORECASE)
PROFILE = re.compile(
    r"床位|编制|职工|员工|医护|医生|护士(?![服鞋帽裤])|人员|患者|病人|病例|病区|科室|人口|面积|占地|平方|元|资金|公里|电话|邮编|年|月|日|楼|层|级|名|住院|门诊|staff|beds|patients|doctors|nurses|people|population|floor|km|employees",
    re.IGNORECASE,
)
PER_PERSON = re.compile(
    r"每人|每班|人手一|一人[一两]|人均|每家|每院|每个科室|每个病区|per hospital|per (?:person|nurse|worker|shift|patient)",
    re.IGNORECASE,
)
CONDITION = re.compile(
    r"符合|标准|型号|要求|必须|须|需(?:有|带|为|具)|无菌|灭菌|独立包装|单独包装|防[^护疫控]|带|无[^法]|呼吸阀|阀|规格|尺[寸码]|大小|加[大长厚]|一次性|医用|医疗|级|类|款|式|效期|有效期|质检|合格|注册证|检测报告|证明|品牌|3M|霍尼|或以上|及以上|同等|不低于|优先|均可|都可|GB|YY|NIOSH|FFP|EN\s?\d|class|level|type|grade|certified|compl|standard|with|without|valve|sterile|powder|latex|size|brand|expir|individually|fluid|disposable|reusable|or (?:better|equivalent|higher)|[SMLX]{1,3}码|cm|mm",
    re.IGNORECASE,
)
SIZE_ALONE = re.compile(
    rf"\s*(?:规格|每[瓶桶]|容量)?\s*:?\s*(?P<size>\d+(?:\.\d+)?\s*{MEASURE})\s*(?:装|规格)?\s*",
    re.IGNORECASE,
)
JOIN = re.compile(
    r"^\s*(?:[/|(]|或者?|or|with)?\s*(?:医用|一次性|(?:[a-z-]+\s+){0,2}(?:medical|disposable|protective)?)?\s*$",
    re.IGNORECASE,
)
CONNECTOR = re.compile(r"\s+(?:and|plus|&)\s+|(?:以及|[和及与+&])(?=\S)", re.IGNORECASE)
STILL = re.compile(
    r"(?:还|尚|仍|目前|现)*(?:缺口?|差|需)(?=.*\d)|应为|实为|调整为|改为|更正为|still (?:need|short)|changed to|now",
    re.IGNORECASE,
)
OF_WHICH = re.compile(r"\(\s*(?:其中|包括|包含|含|of which|including)\s*:?(?P<parts>[^()]*)\)", re.IGNORECASE)
CLASS_IN_NAME = re.compile(r"KN(?:90|95|100)|FFP[123]|Type I{1,2}R?\b", re.IGNORECASE)
GRADED = {"RESP_MED", "RESP_PART", "MASK_SURG"}  # items whose names are often those of their grades
GRADE = re.compile(
    r"(?:3M\s?\d{4}\+?|k?n(?:95|99|100)|ffp[123]|kf94|ds2|p2|p100|type ii?r?)s?", re.IGNORECASE
)
NOT_A_THING = re.compile(
    r"电梯|资金|善款|捐款|场地|志愿者|司机|人手|房屋|住宿|货车|卡车|money|funds|elevator|volunteers|drivers?|\bcash\b|lift",
    re.IGNORECASE,
)
FIGURE_SLASH = re.compile(rf"(?<=\d) +/ +(?=[{HAN}A-Za-z])|(?<=[{HAN}]) +/ +(?=[{HAN}A-Za-z]+ ?\d)")
NUMBER_OF_EVERY = re.compile(
    rf"(?:需求|所需)?数量 ?: ?(?P<each>每[样种]|各)? ?(?P<figure>\d[\d,]* ?[万千]? ?(?:{UNITS})? ?(?:起|以上)?) ?[。;]?"
)
ITS_KIND = re.compile(
    r"\s*[A-Za-z][A-Za-z -]{2,24}(?::| {2,9}|\.{2,60}) ?(?:at least|about|approx\.?)? ?\d[\d,]*\s*",
    re.IGNORECASE,
)
ASKED_FIRST = re.compile(
    rf"\s*(?:还|先|共|一共|至少)?(?:要|需要?|缺|来|求) ?\d[\d,]* ?[万千百]? ?(?:{UNITS})(?=\s|$)"
)
PER_WEEK = re.compile(r"每[周月]|/\s*[周月]|\bper (?:week|month)\b|\bweekly\b|\bmonthly\b", re.IGNORECASE)
NIOSH = re.compile(r"\bNIOSH\b", re.IGNORECASE)
BRAND = re.compile(r"Tyvek|3M\s?\d{4}\+?", re.IGNORECASE)
MODEL_OF_BRAND = re.compile(rf"(?<=Tyvek)\s*\d{{3,4}}(?!\d|\s*(?:{UNITS}))", re.IGNORECASE)
MEASURED = re.compile(rf"\d\s*{MEASURE}\s*/", re.IGNORECASE)
SIZED_PACKS = re.compile(
    rf"\s*(?P<size>\d+(?:\.\d+)?\s*{MEASURE})\s*(?:drums?|jerr[iy]\s?cans?|cans?)\s*[:x×]\s*(?P<count>\d[\d,]*)\s*",
    re.IGNORECASE,
)
PREPARE = re.compile(rf"请?(?:一并|都)?按(?P<figure> ?\d[\d,]* ?[万千]?(?:{UNITS})?) ?(?:准备|备货)")
SIZE = r"(?:\d{1,2}\.\d[号码#]?|\d{1,2}[号码#]|\d{3}码?|X{0,3}[SML]码?|[大中小]号)"
SIZES_EACH = re.compile(
    rf"(?P<sizes>{SIZE}(?: ?[、/,和及] ?{SIZE}){{1,8}})(?:[两二三四五]种|码|号|型)?[, ]?各(?:需要?|要)? ?(?P<count>\d{{1,9}})\s*(?P<unit>{UNITS})?",
    re.IGNORECASE,
)
DOSES = re.compile(rf"{STRENGTH.pattern} ?[*x×]? ?(?P<count>\d+)\s*(?P<unit>[粒片支袋枚丸])", re.IGNORECASE)
OF_SIZE = re.compile(rf"{SIZE_WORD.pattern}|\bsize \d", re.IGNORECASE)
VARIANT = re.compile(
    rf"\s*:? ?(?P<kind>[{HAN}]{{2,4}}) ?(?P<figure>\d[\d,]* ?[万千百]? ?(?:{UNITS})) ?(?:\([^()]*\))?\s*"
)
QUALITY = re.compile(r"普通|常规|成人|儿童|新生儿|[大中小]号|进口|国产|一次性|便携式?|移动式?|台式|电动|手动")
COLOURED = re.compile(r"[白蓝黄绿红黑]色")
EDITION_BEFORE = re.compile(
    r"由\s*(?:GB|YY|EN)[\s/A-Z\d.-]{4,20}(?=\s*(?:更正|改|调整|变更|更新|升级)[为成至到])", re.IGNORECASE
)
FORM = re.compile(
    r"胶囊|颗粒|片剂?(?=\s*[\d(、,;。]|$)|口服液|注射液|注射剂|喷雾剂?|滴眼液|冻干粉针?|粉针|干混悬剂|分散片|缓释片"
)
LIST_LEAD = re.compile(r"[^:、,]{0,14}(?:类|物资|用品|需求?|需要|设备|药品|耗材)\s*:")
SINGLE = re.compile(r"\bsingle\b|单只", re.IGNORECASE)
BLEACH = re.compile(r"(?:(?<=[、,;:|/\t\n。 ])|^)84(?!\d|\s*[个只件套双副人年岁后前度%.:])", re.MULTILINE)
OF_THE_HOUSE = re.compile(
    r"职工|编制|开放|设有|现有|本院|员工|医护|staff|-bed|\bour \d|\b(?:are|is) full\b|已满", re.IGNORECASE
)
BEDS = {"BED", "ICU_BED"}
IS_NAME = re.compile(rf"[{HAN}A-Za-z()/\- ]{{2,12}}")
FIGURE = re.compile(
    rf"(?:约|近)?\s*\d[\d,.]*(?: ?或者? ?\d[\d,.]*)*\s*[万千百十]?\s*(?:余|多)?\s*(?:{UNITS})?(?:\s*以上)?|[一二两三四五六七八九十百千万]+\s*(?:{UNITS})?|不限|若干|大量|无上限|unlimited|any",
    re.IGNORECASE,
)
WHOLE_DAY = re.compile(
    r"(?<!\d)20\d\d\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*[日号]|(?<!\d)20\d\d[-./]\d{1,2}[-./]\d{1,2}(?!\d)"
)
