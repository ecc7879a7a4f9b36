"""Slot values for training examples."""

# ruff: noqa: E501, SIM905 (tables)

ZH_TOPICS = """友谊 分享 勇敢 诚实 耐心 帮助别人 小狐狸学会分享 小兔子的生日 寻找丢失的风筝 去看大海 为什么天是蓝的 星星为什么会眨眼睛 第一次上学
爱护小树 不怕黑 彩虹的秘密 月亮上的朋友 森林音乐会 会飞的小象 节约用水 交个新朋友 说谢谢 睡前故事 小熊学游泳 春节的灯笼 冬天的礼物 认真刷牙
迷路的小鸭子 机器人的心 爷爷的旧书""".split()
EN_TOPICS = (
    "friendship|sharing|being brave|honesty|patience|helping others|a brave little robot|the lost kite|a trip to the sea|"
    "why is the sky blue|why do the stars twinkle|the first day at school|taking care of a tree|a fox who learns to share|"
    "the secret of the rainbow|a friend on the moon|the forest concert|an elephant who wants to fly|saying thank you|"
    "a bedtime story|a bear learns to swim|a birthday in the forest|the winter present|a little duck far from home"
).split("|")
ZH_SCENES = (
    "森林 海边的小镇 月球 幼儿园 山谷 雪地 奶奶的花园 城市 海底 小湖边 图书馆 沙漠 农场 小岛 云朵上 老街".split()
)
EN_SCENES = (
    "forest|a quiet village by the sea|the moon|a kindergarten|the mountains|a snowy hill|grandmother's garden|Paris|"
    "under the sea|a small lake|the library|the desert|a farm|an island|in the clouds|an old street"
).split("|")
ZH_PRODUCTS = """智能降噪耳机 便携榨汁杯 纯棉四件套 保湿面霜 儿童书包 静音电风扇 不粘炒锅 无糖酸奶 登山双肩包 护眼台灯 蓝牙音箱 有机大米 防晒外套 电动牙刷
宠物自动喂食器 保温杯 瑜伽垫 猫砂盆 手工曲奇 折叠雨伞""".split()
EN_PRODUCTS = (
    "noise-cancelling earphones|portable blender|cotton bedding set|moisturising cream|school backpack|quiet desk fan|"
    "non-stick pan|sugar-free yoghurt|hiking backpack|reading lamp|bluetooth speaker|organic rice|sun jacket|"
    "electric toothbrush|pet feeder|steel bottle|yoga mat|handmade cookies|folding umbrella"
).split("|")
ZH_FEATURES = """主动降噪 持久续航 运动可用 防水防汗 轻巧便携 快速充电 纯棉面料 透气不闷 静音设计 大容量 低糖配方 智能提醒 可折叠收纳 经久耐用 护眼光源 新鲜现做
柔软亲肤 一键清洗 防滑手柄 三档调节 食品级材质 全家可用 拆洗方便 颜色多样""".split()
EN_FEATURES = (
    "active noise cancelling|long battery life|waterproof shell|lightweight body|fast charging|pure cotton|"
    "breathable fabric|whisper-quiet motor|large capacity|low sugar recipe|smart reminders|folds flat|durable steel|"
    "soft touch|easy to clean|three speeds|food-safe material|five colours|a two-year guarantee"
).split("|")
ZH_AUDIENCES = (
    "通勤上班族 学生党 宝妈 租房的年轻人 健身爱好者 爸爸妈妈 养猫的朋友 经常出差的人 小户型家庭 爱美的女生".split()
)
EN_AUDIENCES = (
    "commuters|students|parents with small children|people in small flats|runners|cat owners|frequent travellers|"
    "home cooks|people who work from home|hikers"
).split("|")
ZH_PROMOTIONS = """前一百单立减四十元 买一送一 第二件半价 下单送收纳袋 满两百减三十 今晚包邮 送运费险 关注领十元券 拍两件打八折 老顾客再减五元""".split()
EN_PROMOTIONS = (
    "free shipping today|buy one, get one free|20 off for the first hundred orders|a free pouch with every order|"
    "two for the price of one|10% off for followers|free returns for thirty days"
).split("|")
ZH_COPY = """欢迎大家，今天卖耳机。|家人们晚上好，今天给大家带来一款面霜|这个书包很轻，孩子背着不累，颜色也好看|我们的大米是今年的新米,蒸出来很香
|这款台灯光线柔和。看书不累。晚上用也可以|感谢大家来到直播间，先点个关注吧！！|这口锅不粘，洗起来方便，价格也不贵|今天天气冷，大家注意保暖，我们来看围巾
|新来的朋友可以先听一听,不着急下单|欢迎进入直播间。|大家好，我是主播小林，今天聊聊怎么挑水果|电风扇声音小，晚上开着也能睡好""".replace(
    "\n", ""
).split("|")
EN_COPY = (
    "Welcome everybody, today we sell earphones.|this bag is light and it has a lot of room|hello friends ,today i want to "
    "show you a lamp|The rice is new this year. It smells good. It cooks fast|thank you for coming to the the stream!!|"
    "this pan is easy to clean and the price is fair|We welcome all new friends today|it is cold outside, so let us look at "
    "scarves|The fan is quiet. You can sleep with it on|Welcome to the stream."
).split("|")
ZH_TALK = """你好|你是谁？|谢谢你|今天天气怎么样|再见|你会什么|这个多少钱|什么时候发货|讲个笑话吧|我今天有点难过|给我讲一个关于小猫的故事|你好可爱|几点了|质量好吗|
帮我写一段代码|我喜欢吃西瓜|周末想去爬山|我家的猫会开门|听说明天有流星雨|有优惠吗|你是机器人吗|哈哈太好了|我刚学会骑自行车|你觉得蓝色好看吗""".replace(
    "\n", ""
).split("|")
EN_TALK = (
    "hello|who are you?|thank you|how is the weather today?|goodbye|what can you do?|how much is this?|when do you ship?|"
    "tell me a joke|I am sad today|tell me a story about a cat|you are cute|what time is it?|is the quality good?|"
    "write some code for me|I like watermelon|we are going hiking this weekend|my cat can open doors|is there a discount?|"
    "are you a robot?|I just learned to ride a bicycle|my uncle collects teapots|do you like blue?|good evening"
).split("|")
