"""Where the demonstration takes place: real cities by their GB/T 2260 code, invented houses in them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    """A city by its region code, and how many hospitals and donors of the demonstration it has."""

    code: str
    zh: str
    en: str
    hospitals: int = 0
    donors: int = 0


CITIES = (
    City("420100", "武汉", "Wuhan", 42, 3),
    City("420200", "黄石", "Huangshi", 7),
    City("420300", "十堰", "Shiyan", 6),
    City("420500", "宜昌", "Yichang", 8, 1),
    City("420600", "襄阳", "Xiangyang", 8, 1),
    City("420700", "鄂州", "Ezhou", 5),
    City("420800", "荆门", "Jingmen", 6),
    City("420900", "孝感", "Xiaogan", 8),
    City("421000", "荆州", "Jingzhou", 7),
    City("421100", "黄冈", "Huanggang", 10),
    City("421200", "咸宁", "Xianning", 5),
    City("421300", "随州", "Suizhou", 5),
    City("422800", "恩施", "Enshi", 4),
    City("429004", "仙桃", "Xiantao", 2, 1),
    City("429005", "潜江", "Qianjiang", 2),
    City("429006", "天门", "Tianmen", 2),
    City("411500", "信阳", "Xinyang", 6, 1),
    City("430100", "长沙", "Changsha", 6, 4),
    City("430600", "岳阳", "Yueyang", 5),
    City("360400", "九江", "Jiujiang", 5),
    City("500000", "重庆", "Chongqing", 5, 3),
    City("330300", "温州", "Wenzhou", 4, 4),
    City("310000", "上海", "Shanghai", 0, 8),
    City("110000", "北京", "Beijing", 0, 5),
    City("120000", "天津", "Tianjin", 0, 3),
    City("440100", "广州", "Guangzhou", 0, 6),
    City("440300", "深圳", "Shenzhen", 0, 7),
    City("441900", "东莞", "Dongguan", 0, 3),
    City("330100", "杭州", "Hangzhou", 0, 5),
    City("330200", "宁波", "Ningbo", 0, 3),
    City("320500", "苏州", "Suzhou", 0, 5),
    City("320100", "南京", "Nanjing", 0, 3),
    City("350200", "厦门", "Xiamen", 0, 3),
    City("350500", "泉州", "Quanzhou", 0, 2),
    City("370200", "青岛", "Qingdao", 0, 3),
    City("410100", "郑州", "Zhengzhou", 0, 4),
    City("510100", "成都", "Chengdu", 0, 3),
    City("340100", "合肥", "Hefei", 0, 2),
)
OVERSEAS = (
    City("JP", "日本", "Japan", 0, 3),
    City("DE", "德国", "Germany", 0, 2),
    City("SG", "新加坡", "Singapore", 0, 1),
)
RESERVE = frozenset({"430100", "430600", "360400"})  # where the second emergency is prepared for

WORDS = (
    ("白鹭", "Heron"),
    ("青松", "Pine"),
    ("云桥", "Cloudbridge"),
    ("晨光", "Daybreak"),
    ("兰汀", "Orchid Bank"),
    ("枫林", "Maple Grove"),
    ("竹影", "Bamboo"),
    ("星河", "Galaxy"),
    ("春晓", "Spring Dawn"),
    ("海棠", "Crabapple"),
    ("银杏", "Ginkgo"),
    ("碧泉", "Blue Spring"),
    ("南塘", "South Pond"),
    ("听雨", "Rainsong"),
    ("柳岸", "Willow Bank"),
    ("长亭", "Long Pavilion"),
)
HOSPITALS = (
    ("综合医院", "General Hospital"),
    ("中医院", "Hospital of Chinese Medicine"),
    ("妇幼医院", "Women's and Children's Hospital"),
    ("传染病医院", "Infectious Diseases Hospital"),
    ("社区卫生中心", "Community Health Centre"),
)
DONORS = (
    ("医疗器械公司", "Medical Devices", "company"),
    ("防护用品厂", "Protective Equipment Works", "company"),
    ("公益基金会", "Foundation", "organisation"),
    ("校友会", "Alumni Association", "organisation"),
    ("医药公司", "Pharmaceuticals", "company"),
)
CARRIERS = ("顺路", "驰援", "江联", "北斗星", "飞鸿", "通途", "安达")
CHARITIES = (("420000", "楚天"), ("310000", "海上"), ("440000", "岭南"))
VOLUNTEERS = ("灯塔", "夜航")
