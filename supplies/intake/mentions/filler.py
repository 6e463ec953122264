"""Words beside the names of goods that ask, list or thank, and demand nothing of the goods: no conditions."""

import re

from supplies.intake.reading.quantities import UNITS

_ASKING = (
    "急需|急缺|急求|亟需|急|仍缺|也缺|都缺|还缺|尚缺|还差|缺口|缺少|暂缺|紧缺|短缺|欠缺|缺|还需|还要|还有|还|也要|也|另需|另外|另|想要|都想要|想求一些|想求|想|只要|"
    "总院要|要的|要|需要|需求|所需|需|求助|求援|求|请求|恳请|恳求|请|麻烦|谢谢|感谢|问一下|支援|援助|募集|征集|补充|增补|新增|再|来|谁有|接力|扩散|转发|"
    "申请中|申请|接受|寄来|捐赠|社会|各界|热心人|爱心"
)
_LISTING = (
    "物资|物品|用品|设备|耗材|器械类|药品类|生活类|消杀类|设备类|口罩类|防护类|手足类|药品|名称|品名|数量|清单|目录|备注|填报|原公布|上期|本期|其他|其它|其次|再次|其中|依次|"
    "下列|以下|如下|主要|包括|方面|情况|情形|不变|照旧|待定|详见链接|未提及|答"
)
_SAYING = (
    "我院|本院|我们|我的|咱们|大家|贵院|医院|科室|目前|现在|当前|现|今晚|今天|昨天|已经|已|没有了|没有|没了|不足|皆|均|都|只够|只剩|剩|有就行|有|是|为|到|的|了|啊|呢|吧|和|及|与|或|等|"
    "最|很|多|这|那|个"
)
_ENGLISH = (
    "we|are|is|was|be|in|need(?:s|ed|ing)?|of|for|to|the|our|your|an?|any|some|and|or|with|also|too|urgent(?:ly)?|please|require[ds]?|short|would|grateful|"
    "now|still|more|want(?:s|ed)?|wish|list|ask(?:s|ing)?|hospital|department|ward|items?|goods|supplies|qty|quantity|per|week|month|left|used?|use|at|on|it|"
    "have|has|there|other|following|donations?|help|thanks?|thank you|y|n|yes|no"
)
_WORDS = rf"(?:{_ASKING}|{_LISTING}|{_SAYING}|(?:{_ENGLISH}|{UNITS}|pc|pr)(?![A-Za-z])|(?:{UNITS}))"
_FILLER = re.compile(rf"(?>{_WORDS}|[\W_])*+", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:(?:需要|需求|所需|急需|急缺|还差|还要|还缺|还有|新增|补充|备注|物资|现接收|目前|我院|本院|我们)[\s:,、—-]*)+(?=[^\s:,、—-]{2})"
)


def demands_in(requirements: list[str]) -> list[str]:
    """The requirements that demand something, without the words that only ask: 还差 175、180码 is 175、180码."""
    said = (_LEAD.sub("", words, count=1) if _LEAD.match(words) else words for words in requirements)
    return [words for words in said if not _FILLER.fullmatch(words)]
