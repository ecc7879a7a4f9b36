"""The vocabulary, as data: what is drawn -> English phrases; Chinese words.

English matches whole words and regular plurals, Chinese anywhere; the longest phrase wins. `NOTHING` holds phrases that
contain a word of the tables and mean something else.
"""

HOURS = {
    "dawn": "sunrise, dawn, daybreak, early morning; 日出 黎明 清晨 拂晓 破晓 早晨 朝霞",
    "day": "day, daytime, noon, morning, afternoon, sunny; 白天 中午 上午 下午 晴天 晴朗",
    "sunset": "sunset, dusk, evening, twilight, golden hour; 日落 黄昏 傍晚 夕阳 晚霞 落日",
    "night": "night, midnight, moonlight, moonlit, starry, bedtime;"
    " 夜晚 夜里 晚上 深夜 半夜 午夜 夜空 月光 星空 黑夜 夜",
}
WEATHER = {
    "rain": "rain, rainy, raining, drizzle, storm, stormy; 下雨 雨天 大雨 小雨 细雨 雨中 雨里 雨水 雨滴 暴雨 雨",
    "snow": "snow, snowy, snowing, snowflake, winter; 下雪 雪花 大雪 雪中 飘雪 冬天 冬日 冬季 雪",
    "cloudy": "cloudy, overcast; 多云 阴天",
    "autumn": "autumn, fall leaves, autumn leaves, in the fall; 秋天 秋日 秋季 秋叶 落叶 枫叶 金秋",
    "spring": "spring, blossom, cherry blossom, springtime; 春天 春日 春季 樱花 桃花 花开",
}
GROUNDS = {
    "moon": "on the moon, on a crescent moon, on the crescent; 月亮上 月牙上 弯月上",
    "space": "space, outer space, galaxy, universe, surface of the moon, lunar; 太空 宇宙 银河 月球 星球 外太空",
    "underwater": "underwater, under the sea, seabed, ocean floor, coral, coral reef; 海底 水下 水底 珊瑚 海里 深海",
    "clouds": "on a cloud, on the clouds, above the clouds, in the clouds; 云端 云朵上 云上 云层上 白云上",
    "parlour": "room, indoors, kitchen, living room, classroom, library, at home, inside the house;"
    " 房间 屋里 屋内 厨房 客厅 教室 图书馆 室内 书房 家里",
    "room": "bedroom, bed; 卧室 床上 床",
    "sea": "sea, ocean, beach, seaside, shore, seashore, coast, island, harbour, harbor, port;"
    " 大海 海边 海滩 沙滩 海岸 海上 海洋 海浪 海面 岛 小岛 港口 海",
    "lake": "lake, lakeside, pond; 湖 湖边 湖面 湖水 池塘 水塘 荷塘",
    "river": "river, riverside, stream, brook, creek; 河 河边 小河 小溪 溪 江边 溪流 河流",
    "city": "city, street, town, downtown, skyscraper, road; 城市 街 街道 街头 大街 马路 城里 上海 北京 广州 都市 路口",
    "snowfield": "snowfield, ice, iceberg, north pole, south pole, antarctica;"
    " 雪地 雪原 冰川 冰原 冰面 南极 北极 冰天雪地",
    "desert": "desert, dune; 沙漠 沙丘 戈壁",
    "village": "village, farm, countryside; 村庄 村子 小村 渔村 村 农场 乡村 小镇 镇",
    "forest": "forest, woods, woodland, jungle, grove; 森林 树林 林中 丛林 竹林 林子",
    "mountains": "mountain, peak, cliff, volcano, valley;"
    " 高山 雪山 山峰 山顶 群山 大山 山谷 火山 山脉 山里 山中 山上 山",
    "garden": "garden, yard, park, backyard, playground; 花园 院子 公园 庭院 菜园 操场",
    "meadow": "meadow, hill, hillside, grassland, field, grass, lawn, prairie;"
    " 草地 草原 山坡 小山 田野 山丘 草坪 田 草丛",
}
THINGS = {
    "sun": "sun, sunshine, sunlight; 太阳 阳光",
    "moon": "moon, crescent; 月亮 月牙 明月 弯月 圆月 满月",
    "star": "star, shooting star; 星星 繁星 流星 群星 星",
    "cloud": "cloud; 云 云朵 白云 云彩 乌云",
    "rainbow": "rainbow; 彩虹",
    "tree": "tree, oak, apple tree, maple; 大树 树 苹果树 树木 枫树",
    "pine": "pine, pine tree, fir, christmas tree, fir tree; 松树 杉树 圣诞树",
    "palm": "palm, palm tree, coconut tree; 椰子树 椰树 棕榈树 棕榈",
    "bush": "bush, shrub, hedge; 灌木 灌木丛",
    "cactus": "cactus, cacti; 仙人掌",
    "flower": "flower, daisy, tulip, rose, sunflower, wildflower; 花 花朵 鲜花 野花 玫瑰 向日葵 郁金香 小花",
    "mushroom": "mushroom, toadstool; 蘑菇",
    "rock": "rock, stone, boulder; 石头 岩石 大石",
    "fence": "fence; 篱笆 栅栏 围栏",
    "house": "house, cottage, cabin, hut, home, building; 房子 小屋 木屋 房屋 小房 屋子 楼房",
    "castle": "castle, palace, tower; 城堡 宫殿 王宫 皇宫 塔",
    "lighthouse": "lighthouse; 灯塔",
    "windmill": "windmill; 风车",
    "tent": "tent; 帐篷",
    "bridge": "bridge; 桥 小桥 石桥 木桥",
    "bench": "bench; 长椅 长凳",
    "lamp": "lamp, street lamp, lamppost, streetlight; 台灯 路灯 灯",
    "boat": "boat, sailboat, ship, raft; 小船 帆船 船 木船 渔船 轮船",
    "car": "car, taxi; 汽车 小汽车 轿车 小车 车",
    "train": "train, locomotive; 火车 列车",
    "rocket": "rocket, spaceship, spacecraft, rocket ship; 火箭 飞船 宇宙飞船",
    "hot-air balloon": "hot air balloon, hot-air balloon; 热气球",
    "balloon": "balloon; 气球",
    "kite": "kite; 风筝",
    "lantern": "lantern; 灯笼 提灯",
    "umbrella": "umbrella, parasol; 雨伞 伞 阳伞",
    "book": "book, storybook, diary; 书 书本 故事书",
    "cake": "cake, birthday cake; 蛋糕",
    "gift": "gift, present; 礼物 礼盒",
    "ball": "ball, football, basketball; 皮球 足球 篮球 球",
    "apple": "apple; 苹果",
    "snowman": "snowman, snowmen; 雪人",
    "campfire": "campfire, bonfire; 篝火 营火",
    "butterfly": "butterfly; 蝴蝶",
    "bird": "bird, seagull, sparrow, swallow, robin, parrot; 鸟 小鸟 海鸥 麻雀 燕子 鹦鹉",
    "bee": "bee, bumblebee; 蜜蜂",
    "fish": "fish, goldfish; 鱼 小鱼 金鱼 大鱼",
    "whale": "whale, dolphin; 鲸鱼 鲸 海豚",
    "planet": "planet; 行星",
    "fishing rod": "fishing rod; 鱼竿 钓竿",
}
ANIMALS = {
    "cat": "cat, kitten, kitty; 猫 猫咪",
    "dog": "dog, puppy, pup; 狗 小狗 狗狗 犬",
    "rabbit": "rabbit, bunny, hare; 兔 兔子 小兔",
    "fox": "fox; 狐狸 小狐",
    "bear": "bear, teddy, teddy bear; 熊 小熊",
    "polar bear": "polar bear; 北极熊 白熊",
    "panda": "panda; 熊猫",
    "red panda": "red panda; 小熊猫 红熊猫",
    "mouse": "mouse, mice; 老鼠 小鼠 鼠",
    "hamster": "hamster; 仓鼠",
    "squirrel": "squirrel, chipmunk; 松鼠",
    "hedgehog": "hedgehog; 刺猬",
    "raccoon": "raccoon; 浣熊",
    "wolf": "wolf, wolves; 狼 大灰狼",
    "koala": "koala; 考拉",
    "monkey": "monkey; 猴 猴子",
    "deer": "deer, fawn, reindeer; 小鹿 鹿 驯鹿",
    "giraffe": "giraffe; 长颈鹿",
    "horse": "horse, pony; 小马 马 骏马",
    "zebra": "zebra; 斑马",
    "unicorn": "unicorn; 独角兽",
    "cow": "cow, calf, ox; 牛 奶牛 小牛",
    "sheep": "sheep, lamb; 羊 绵羊 小羊",
    "goat": "goat; 山羊",
    "pig": "pig, piglet, piggy; 猪 小猪",
    "elephant": "elephant; 大象 小象 象群",
    "lion": "lion; 狮子 小狮子 狮",
    "tiger": "tiger; 老虎 小老虎 虎",
    "frog": "frog; 青蛙 蛙",
    "turtle": "turtle, tortoise; 乌龟 海龟 龟",
    "penguin": "penguin; 企鹅",
    "owl": "owl; 猫头鹰",
    "duck": "duck, duckling; 鸭 鸭子 小鸭",
    "goose": "goose, geese, swan; 鹅 天鹅 白鹅",
    "chicken": "chicken, hen, rooster, chick; 鸡 小鸡 公鸡 母鸡",
    "dragon": "dragon; 龙 小龙",
    "dinosaur": "dinosaur, dino; 恐龙",
}
PEOPLE = {
    "girl": "girl, daughter, sister, fairy; 女孩 小女孩 姑娘 小姑娘 女儿 妹妹 姐姐 仙女",
    "boy": "boy, son, brother, lad; 男孩 小男孩 儿子 弟弟 哥哥 少年",
    "child": "child, children, kid, toddler, baby, pupil; 孩子 小孩 儿童 小朋友 宝宝 娃娃",
    "woman": "woman, women, mother, mom, mum, lady, teacher, witch, aunt, doctor;"
    " 女人 妈妈 母亲 老师 阿姨 女士 女巫 医生",
    "man": "man, men, father, dad, wizard, uncle, farmer, fisherman, pirate;"
    " 男人 爸爸 父亲 叔叔 先生 巫师 农夫 渔夫 海盗",
    "grandmother": "grandmother, grandma, granny, old woman, old lady; 奶奶 外婆 姥姥 老奶奶 祖母",
    "grandfather": "grandfather, grandpa, old man; 爷爷 外公 老爷爷 祖父 老人 姥爷",
    "king": "king, emperor; 国王 皇帝",
    "queen": "queen; 女王 王后 皇后",
    "princess": "princess; 公主",
    "prince": "prince, knight; 王子 骑士",
    "robot": "robot, android; 机器人",
}
COLOURS = {
    "red": "red, crimson, scarlet; 红色 红 大红 朱红",
    "orange": "orange, ginger; 橙色 橘色 橙 橘黄色 橘 橘红色",
    "yellow": "yellow; 黄色 黄",
    "green": "green, emerald; 绿色 绿 翠绿",
    "blue": "blue, navy, azure; 蓝色 蓝 深蓝色 天蓝色",
    "purple": "purple, violet, lavender; 紫色 紫",
    "pink": "pink; 粉色 粉红色 粉红 粉",
    "brown": "brown, chestnut, tan; 棕色 褐色 棕 咖啡色",
    "black": "black, dark-haired; 黑色 黑",
    "white": "white, snow-white; 白色 白 雪白",
    "grey": "grey, gray; 灰色 灰",
    "gold": "gold, golden, blond, blonde; 金色 金黄色 金",
    "silver": "silver; 银色 银",
    "turquoise": "turquoise, teal, cyan; 青色 青绿色",
    "cream": "cream, beige; 米色 奶油色 米白色",
}
WEAR = {
    "scarf": "scarf, scarves, neckerchief, bandana; 围巾 领巾",
    "hat": "hat, cap, beanie, hood; 帽子 帽",
    "straw hat": "straw hat, sun hat; 草帽",
    "crown": "crown, tiara; 王冠 皇冠",
    "bow": "bow, ribbon, hairbow; 蝴蝶结 丝带 发带",
    "glasses": "glasses, spectacles; 眼镜",
    "dress": "dress, skirt, gown; 裙子 连衣裙 裙 长裙",
    "shirt": "shirt, sweater, coat, jacket, raincoat, jumper, t-shirt, vest;"
    " 衣服 毛衣 外套 上衣 衬衫 大衣 雨衣 背心 夹克",
    "trousers": "trousers, pants, overalls, dungarees, shorts; 裤子 背带裤 短裤",
    "shoes": "shoe, boot, sneaker; 鞋子 鞋 靴子 靴",
    "backpack": "backpack, rucksack, bag, satchel; 背包 书包 包包",
    "cape": "cape, cloak; 斗篷 披风",
    "hair": "hair; 头发",
    "long hair": "long hair; 长发 长头发",
    "short hair": "short hair; 短发 短头发",
    "braids": "braid, pigtail, plait, ponytail; 辫子 马尾 双马尾 麻花辫",
    "fur": "fur, coat of fur, feathers; 毛 皮毛 羽毛",
}
POSES = {
    "sleep": "sleep, sleeping, asleep, dreaming, napping; 睡觉 睡着 睡 做梦 梦见",
    "run": "run, running, runs, chase, chasing, jump, jumping, hurry; 跑 奔跑 跑步 追 跳",
    "sit": "sit, sitting, sits, seated; 坐 坐着",
    "wave": "wave to, waves, waving, hello, goodbye, dance, dancing, cheer, cheering; 挥手 招手 再见 跳舞 欢呼",
    "fish": "fishing; 钓鱼 垂钓",
    "read": "reading, reads, read; 看书 读书 阅读",
}
MOODS = {
    "sad": "sad, crying, cries, cry, lonely, lost, worried, tears; 难过 伤心 哭 哭泣 孤独 迷路 担心 眼泪",
    "surprised": "surprised, amazed, astonished, wow, scared, afraid; 惊讶 吃惊 惊奇 害怕 惊喜",
}
COUNTS = {
    "1": "one; 一只 一个 一棵 一朵 一座 一条 一艘 一辆 一颗 一位 一本",
    "2": "two, pair of, couple of; 两只 两个 两棵 两朵 两座 两条 两艘 两颗 两位 一对 俩",
    "3": "three; 三只 三个 三棵 三朵 三座 三条 三艘 三颗 三位",
    "4": "four, several, some, few; 四只 四个 四棵 四朵 几只 几个 几朵 几棵 几颗 一些",
    "5": "five, six, seven, many, lots of, group of, full of; 五只 五个 五朵 许多 很多 一群 好多 满天 成群",
}
NOTHING = {
    "": "season, sunday, monday, starfish, seahorse, dragonfly,"
    " water bottle, movie star, hot dog, hotdog, a day, one day,"
    " every day, someday, bear in mind, ice cream, long ago, christmas day, horseshoe, goldsmith, rose to, rose up;"
    " 海报 海绵 海拔 海关 海南 青海 东海 星期 明星 歌星 马上 马虎 马拉松"
    " 云南 花生 花费 花钱 火花 花瓶 花样 花纹 棉花 浪花 泪花 烟花 水花 眼花"
    " 牛奶 鸡蛋 河南 河北 湖南 湖北 山东 山西 江湖 球鞋 地球 小心 红包"
    " 金属 金融 白菜 黄瓜 黑板 粉笔 面粉 书记 书写 书架 草莓 草稿 夜莺"
    " 发现 明白 坦白 蜗牛 红绿灯 村长 船长 车站 车轮 树立 毛巾"
    " 毛病 羊毛 羊肉 牛肉 追求 街坊 生日 有一天 每天 石榴 气象"
}
PLURALS = frozenset({"mice", "wolves", "geese", "children", "women", "men", "snowmen", "cacti"})

TABLES = {
    "hour": HOURS,
    "weather": WEATHER,
    "ground": GROUNDS,
    "thing": THINGS,
    "animal": ANIMALS,
    "person": PEOPLE,
    "colour": COLOURS,
    "wear": WEAR,
    "pose": POSES,
    "mood": MOODS,
    "count": COUNTS,
    "nothing": NOTHING,
}
