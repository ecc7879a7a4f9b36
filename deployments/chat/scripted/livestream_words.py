"""The sentences of sales copy. `{name}`, `{feature}`, `{audience}`, `{price}`, `{promotion}` are the seller's own words."""

# ruff: noqa: E501 (tables)

ZH = {
    "open": """
        家人们，大家好，欢迎来到直播间！
        哈喽各位朋友，刚进来的先别急着走！
        屏幕前的朋友们，你们好呀，终于等到你们了！
        欢迎新进来的朋友，点个关注，我们马上开始！
        来来来，家人们，手里的活儿先放一放！
        各位宝宝们好，来了就别走啦！
        大家好大家好，感谢每一位来捧场的朋友！
        朋友们，准备好小板凳，好东西来了！
    """,
    "name": """
        今天给大家带来的是{name}。
        今天要跟大家好好聊一聊的，就是我手里的{name}。
        千呼万唤，{name}它来了！
        大家看过来，这就是{name}。
        今天的主角是谁呢？就是{name}！
        说了好几天的{name}，今天我给大家安排上了。
    """,
    "audience": """
        如果你是{audience}，那真的要认真听我讲两分钟。
        这一款，就是特意为{audience}准备的。
        {audience}看过来，你们想要的，它都替你想到了。
        直播间里有没有{audience}？有的话扣个一，这款很适合你。
        给{audience}的朋友们选东西，我可是花了心思的。
    """,
    "lead": """
        为什么我愿意推荐它呢？听我慢慢说。
        它到底好在哪里？我一样一样讲给大家听。
        光说好没有用，我们来看实实在在的东西。
        别着急下单，先听我把它讲清楚。
        我自己看中它，有这么几个理由。
    """,
    "first": """
        首先要说的是{feature}。
        先来看它的亮点：{feature}。
        打开一看，你就会注意到：{feature}。
        我要先夸一夸这一点：{feature}。
        咱们先说{feature}。
    """,
    "next": """
        再来看，{feature}。
        还有一点很贴心：{feature}。
        除了这个，它还有{feature}。
        接着往下看：{feature}。
        更让人省心的是{feature}。
        别忘了，还有{feature}。
        不光这样，{feature}也安排上了。
        说到这儿，一定要提一提{feature}。
    """,
    "last": """
        还没完呢，它还有{feature}。
        压轴的来了：{feature}。
        说到后面还有一个惊喜：{feature}。
        再补充一点：{feature}。
    """,
    "remark": """
        这一点，用起来就能感受到。
        是不是很实用？
        日子就是要过得这么省心。
        懂的朋友，打在公屏上。
        细节做到位，用着才舒心。
        我一眼就喜欢上了这个设计。
        换成是你，会不会也心动？
        这才是给生活加分的好东西。
    """,
    "price": """
        大家关心的价格来了：{price}！
        说了这么多，到底多少钱呢？今天的价格是{price}。
        价格也给大家说清楚：{price}，明明白白。
        今天在直播间，{price}就能带回家。
        听好了，直播间的价格是{price}。
    """,
    "promotion": """
        今天还有福利：{promotion}。
        而且，直播间还有活动：{promotion}。
        别走开，优惠在这里：{promotion}。
        再告诉大家一个好消息：{promotion}。
        今天下单的朋友，记得这个优惠：{promotion}。
    """,
    "close": """
        喜欢的朋友，点击下方的小黄车，把它带回家吧！
        想要的朋友可以下单了，有问题打在公屏上，我一个一个回答。
        觉得合适再买，不着急，主播就在这里陪着大家。
        喜欢就点个关注，下单的朋友我们一起来报个到！
        链接已经准备好了，看清楚规格再下单哦。
        好东西值得慢慢挑，想好了就去下面的链接看一看。
        感谢大家听到这里，我们下单的朋友扣个“已拍”！
    """,
}
EN = {
    "open": """
        Hello everyone, and welcome to the stream!
        Hi friends, so good to see you here today!
        Good to have you with us, grab a seat and stay a while!
        Welcome in, everybody, we are just getting started!
        Hey there, and a warm welcome to everyone who has just joined!
        Hello, hello! Tell me in the chat where you are watching from!
    """,
    "name": """
        Today I want to show you {name}.
        In my hands right now I have {name}.
        The star of today's show is {name}.
        You have waited long enough, so here it is: {name}.
        Let me introduce you to {name}.
    """,
    "audience": """
        If this sounds like you, listen closely: {audience}.
        This one was picked with you in mind: {audience}.
        Is this you? {audience}. Then stay with me.
        I was thinking of somebody when I chose this: {audience}.
    """,
    "lead": """
        So what makes it worth a look? Let me walk you through it.
        Why did I choose it? Let me give you the reasons.
        I will keep it simple and tell you what it really offers.
        Before you order, let me tell you what you get.
    """,
    "first": """
        First of all: {feature}.
        Let's start with this: {feature}.
        The thing you notice right away: {feature}.
        The first thing I want to tell you: {feature}.
    """,
    "next": """
        Next up: {feature}.
        It also offers this: {feature}.
        And there is more: {feature}.
        On top of that: {feature}.
        Something else I like: {feature}.
        Let's not forget this one: {feature}.
    """,
    "last": """
        And one more thing: {feature}.
        Last but not least: {feature}.
        I saved this one for the end: {feature}.
        To round it off: {feature}.
    """,
    "remark": """
        You will feel the difference when you use it.
        Isn't that handy?
        It is the small things that make life easier.
        Tell me in the chat if you have been looking for that.
        That is something I would want for myself.
        It simply makes the day a little easier.
    """,
    "price": """
        Now the part you have been waiting for, the price: {price}.
        And what does it cost? {price}.
        Here in the stream the price is {price}.
        You can take it home today for {price}.
    """,
    "promotion": """
        And there is something extra today: {promotion}.
        Here is the offer of the day: {promotion}.
        While we are live, you also get this: {promotion}.
        One more piece of good news: {promotion}.
    """,
    "close": """
        If you like it, tap the link below and take it home!
        Any questions? Put them in the chat and I will answer them one by one.
        Take your time, look it over, and order when you are ready.
        The link is below. Thank you for being here, and happy shopping!
        If it suits you, follow the link. I am right here if you need me!
        Thank you for watching, and see you in the next round!
    """,
}
# What a feature means for its user, by words that it contains.
ZH_MEANING = {
    "降噪": "戴上它，周围一下子就安静了。",
    "续航": "出门一整天，不用老惦记充电。",
    "防水": "下雨天、运动出汗，都不用太担心。",
    "轻": "拿在手里轻轻的，一点也不累。",
    "充": "赶时间的时候，特别省事。",
    "保湿": "皮肤润润的，摸着就舒服。",
    "补水": "皮肤润润的，摸着就舒服。",
    "棉": "软软的，贴身穿也很舒服。",
    "透气": "天热的时候也不闷。",
    "静音": "晚上用也不打扰家里人。",
    "容量": "一家人用也够了。",
    "糖": "想吃甜的，也可以少一点负担。",
    "智能": "家里老人孩子也能很快上手。",
    "折叠": "收起来小小一个，不占地方。",
    "便携": "放进包里就能带走。",
    "耐": "用得久，才是真的划算。",
    "护眼": "看书写字，眼睛舒服一些。",
    "新鲜": "打开就能闻到那股鲜味儿。",
    "软": "摸上去软软的，让人舍不得放手。",
    "运动": "跑步健身，带上它就走。",
    "清洗": "冲一冲就干净，懒人也喜欢。",
    "防滑": "拿着稳稳的，心里也踏实。",
}
EN_MEANING = {
    "noise": "Put it on, and the world around you goes quiet.",
    "battery": "You can leave the charger at home for the day.",
    "waterproof": "A little rain or sweat is nothing to worry about.",
    "light": "You will hardly notice that you are carrying it.",
    "charg": "That helps when you are in a hurry.",
    "cotton": "It feels soft on the skin all day.",
    "breathable": "It stays comfortable on warm days.",
    "quiet": "Nobody at home will be disturbed.",
    "capacity": "There is enough room for the whole family.",
    "sugar": "A treat that feels a little lighter.",
    "smart": "You will learn to use it in minutes.",
    "fold": "It packs down small and takes up little space.",
    "portable": "Drop it in your bag and go.",
    "durable": "Things that last are the ones that pay off.",
    "soft": "Once you touch it, you won't want to let go.",
    "fresh": "You can smell it the moment you open it.",
    "clean": "A quick rinse, and you are done.",
}
