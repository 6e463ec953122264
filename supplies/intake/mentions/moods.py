"""Words by which a text asks for goods, has them, refuses them or wants them without limit."""

import re

UNWANTED_BEFORE = re.compile(
    r"(?:暂?时?不(?:再)?(?:需要?|接[受收]|收|要(?!求)|缺(?!少))|无需|勿(?:再)?(?:捐|送|寄)|谢绝|拒收|删去|删除|不想要|别(?:再)?(?:往[^,。]{0,20})?[寄拉送]|not accepting|取消(?:需求)?|撤销需求|停止接[收受]|(?:do|does|did) ?n[o']?t (?:need|want|require|accept)|no longer (?:need|require|accept)|don't (?:need|send|accept)|no need for|not (?:accept|need)|cannot accept|can't accept|(?:please )?do not send|no more(?! than)|not in need of|enough(?! for)|sufficient|plenty of)",
    re.IGNORECASE,
)
UNWANTED_AFTER = re.compile(
    r"^[^\d]{0,8}(?:另?已?有渠道|(?:一律)?谢绝|(?:请|就)?(?:先)?(?:不要|别|勿)(?:再)?(?:寄|捐|送|发)|(?<![不未])已?足(?![量够])|无需捐赠|先?不用寄|够了|不用了|不必|撤回|暂停(?:接[受收])?|已?能(?:够)?满足|两?项?撤回|already ok|已(?:经)?(?:基本)?(?:足够|充足|够用?|满足|饱和|到齐|到位|解决|齐)|储备充足|充足|足够|够用|(?:暂时?|已)?不(?:再)?(?:缺(?!少)|需要?|接[受收]|收)|无需|(?:cannot|can ?not|can't|will not|won't) be (?:accepted|used|taken)|(?:is|are|have been|has been)?\s*(?:no longer (?:needed|required|accepted)|not (?:needed|required|accepted)|sufficient|enough|covered|well stocked|fully stocked|in good supply))",
    re.IGNORECASE,
)
NO = re.compile(
    r"^[\s:]*(?:[-—/×]|0\s*[个只件套副双盒箱瓶]?(?:\(.*\))?)\s*$|^\W*(?:(?:disposable|reusable|medical)\W+)?(?:n|no|none(?: needed)?|nil|无|无需|不需要?|不要|否)\W*$",
    re.IGNORECASE,
)
NOT_THESE = re.compile(r"\s*(?:不要|不需要?|不用|不收|无需)$")
DO_NOT_SEND_TO = re.compile(
    r"别再?往[^,。!?;\n]{0,30}[寄拉送]$|别再?往[^,。!?;\n]{0,30}[寄拉送](?=[^,。!?;\n]{0,8}$)"
)
IS_REFUSED = (
    r"(?:home-?made|hand-?made|self-?made|used|second-?hand|expired|out-?of-?date|opened|damaged|soiled|uncertified|unlabell?ed|counterfeit|"
    r"fake|non-?medical|cloth|fabric|knitted|自制|自做|手工|过期|临期|旧|二手|用过的?|使用过的?|开封的?|拆封的?|破损|无证|三无|假冒|伪劣|仿冒|不合格|劣质)"
)
REFUSED = re.compile(rf"^\W*(?:please,?\s+)?(?:sorry,?\s+)?no\s+(?={IS_REFUSED}\b)", re.IGNORECASE)
QUALIFIED = re.compile(
    rf"(?:{IS_REFUSED}(?:\s*(?:,|、|/|\bor\b|\band\b|或|和|及)?\s*))+(?:[a-z-]+\s+){{0,2}}$", re.IGNORECASE
)
USED_UP = re.compile(
    r"消耗|耗量|[日天]耗|用量|使用量|burn rate|consum|\bgo(?:es|ing)? through\b|\buse[sd]?\b", re.IGNORECASE
)
RUNS_OUT = re.compile(
    r"[只仅][够剩]|告急|告罄|见底|耗尽|用完|不足|支撑|维持|\bdays? (?:of (?:stock|supply)|left)|\b(?:running|run) (?:out|low)\b",
    re.IGNORECASE,
)
OF_NOW = re.compile(r":|另|本[期次周月批]|现|目前|今")
BUT_FOR = re.compile(r"\s*(?:以|之)?外[^\d]{0,6}(?:暂停|停止|不再|不需|请勿|都?已?(?:足|够|充足)|其他|其余)")
NOT_ASKED = re.compile(
    r"(?:敝公司|我公司|(?<!已)到货(?!后)|轮着[穿戴用]|愿[^,。]{0,5}(?:提供|捐)|(?<![\u3400-\u9fff])供\s*:|供方|现货(?!\?|直接|请|联系)|闲置|我司|供给|供应(?!紧|不足)|可捐|已领|已发|已寄|寄出|分配表|日产|月产|产能|直供|厂家|出售|已(?:经)?(?:收到|接收|到(?!位|齐)|到货|购买|采购|落实|发放|捐)|收到(?!后)|感谢[^,。]{0,30}(?:捐|送|提供|支援)|捐赠了|捐来|捐出|库存|现存|现有|目前仅有|剩余?|仅剩|只剩|尚余|仅存|"
    r"(?:可以?|能够?|愿意?|我们?|本公司|我司|现)(?:提供|捐赠|捐)(?!渠道|热线|接收)|"
    r"\b(?:in stock|stock (?:of|is)|we have(?! (?:an? )?(?:urgent|need))|have received|received|donated|can (?:offer|supply|donate|provide|give)|giving away|offering|left in|remaining|thank(?:s| you)|our company|we (?:make|sew|produce))\b)",
    re.IGNORECASE,
)
TOLD_AFTER = re.compile(
    r"^\s*呢\s*$|^\s*(?:收到(?!后)|日产|月产|产能|可捐|已收到|库存|现存|剩|到货|已到(?!齐)|(?:have |has )?(?:arrived|been delivered))",
    re.IGNORECASE,
)
TOLD_IN_LEAD = re.compile(
    r"分配|已[领到收发寄]|库存|现有|现存|到货|发放|存量|on hand|in stock|received", re.IGNORECASE
)
LEAD_OF_LINE = re.compile(r"\s*[^:;,、。\n]{1,14}:")
OF_BEFORE = re.compile(r"^\s*上[期次周月批](?:缺口|需求|申请|所需)")
RUMOUR = re.compile(r"未核实|未经核实|谣言|请勿轻信|\brumou?rs?\b|unverified", re.IGNORECASE)
THANKS = re.compile(r"感谢|谢谢|thank", re.IGNORECASE)
ASKS = re.compile(
    r"待补|新增|帮一把|帮帮忙|谁能|需要?|急缺|紧缺|缺(?!陷|勤|乏症)|短缺|求购|求捐|求助|征集|募集|希望|欢迎捐|\b(?:need|needs|needed|require[ds]?|request(?:ed|ing)?|short of|shortage|lack|looking for|seek(?:ing)?|wanted|run(?:ning)? out|urgently|would welcome)\b",
    re.IGNORECASE,
)
CONTRAST = re.compile(
    r"但是?|然而|不过|仍然?(?=急?[需缺])|另外?(?=[需急])|其余|尤其|特别是|\b(?:but|however|still need|while|whereas|yet)\b",
    re.IGNORECASE,
)
NO_LIMIT = re.compile(
    r"不限(?!于|制)|无限|不设上限|无上限|多多益善|越多越好|尽可能多|尽量多|有多少[要收]多少|多少都[要行收]|[无不]论多少|大量|需求量?(?:较|很|极|巨)?大|∞|[-–—:]\s*any\s*$|"
    r"\b(?:as (?:much|many)(?:\s+[a-z]+){0,3}\s+as (?:possible|you (?:can|have))|unlimited|no (?:upper |set )?(?:limit|amount)|any (?:amount|quantity|number))\b|^\W*(?:any|everything|lots)\W*$",
    re.IGNORECASE,
)
ALL = re.compile(
    r"(?:以上|上述|所有|各类|全部|均|都|\ball(?: of (?:the above|these))?\b)[^\n。;]{0,12}(?:不限|无上限|多多益善|越多越好|大量|无论多少|不论多少|unlimited|no limit|as many as|as much as)|数量不限\)\s*:",
    re.IGNORECASE,
)
SENTINEL = re.compile(
    r"[(\[]?[^()\n]{0,12}[“\"'‘]?(?<!\d)1[”\"'’]?(?:的?[都均])?\s*[即就]?(?:=|为|是|表示|代表|即|指|means?|:)\s*(?:“?有?急?需要?(?:求)?|“?急?缺|“?要|无数量要求|(?:数量)?不限|needed|want(?:ed)?|required|yes)[^()\n]{0,20}[)\]]?|[^()\n,;]{0,14}(?:不限|需要?求?)[^()\n,;]{0,6}填\s*1(?!\d)",
    re.IGNORECASE,
)
SIGN_MEANS = re.compile(
    r"(?<![A-Za-z])(?P<sign>[A-Z]|[★☆○●◎△▲×√]{1,3}) ?(?:=|为|表示|代表|是|:)? ?(?P<says>[^\sA-Za-z★☆○●◎△▲×√;][^\s★☆○●◎△▲×√;]{1,14})"
)
UNWANTED_SIGN = re.compile(r"不需|不要|不缺|无需|充足")
BLANK_IS_NONE = re.compile(r"空(?:白|着|格)?\s*(?:表示|=|为|即|代表)\s*(?:无|不)需")
