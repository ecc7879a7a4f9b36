"""What small talk answers. Each intent: a pattern for each language, then the replies. `{said}` is what the viewer said."""

# ruff: noqa: E501 (tables)

INTENTS: list[tuple[str, str, str, str, str]] = [
    (
        "identity",
        r"你是谁|你叫什么|你是.{0,6}(人工智能|机器人|真人|模型|AI|ai)|介绍.{0,4}自己|你是什么",
        r"who are you|what are you|your name|are you (?:a |an )?(?:real|human|robot|ai|bot|language model)|about yourself",
        """
        我是一套写好规则的句子语法，不是语言模型，只会聊一些简单的话题。
        说实话，我是按规则拼句子的小程序，不是语言模型，也不是真人，不过我很乐意陪你聊聊。
        我是直播间的脚本小助手：句子是事先写好的，我不是语言模型。
        """,
        """
        I am a scripted grammar, not a language model, so I only know simple talk.
        Honestly, I am a set of sentence rules and not a language model or a person, but I am happy to chat.
        I am a small scripted assistant: my sentences were written beforehand, and I am not a language model.
        """,
    ),
    (
        "able",
        r"你会什么|你能做什么|能干什么|有什么功能|你能帮我",
        r"what can you do|can you help|what do you do|how can you help",
        """
        我会写图画书故事、带货口播稿，也会润色文案，还能陪你聊几句。
        给我主题我就写故事，给我商品信息我就写口播稿，改文案也可以。
        """,
        """
        I can write picture-book stories and sales copy, polish a text, and chat a little.
        Give me a topic and I write a story; give me product facts and I write the copy.
        """,
    ),
    (
        "cannot",
        r"写.{0,4}代码|翻译|股票|看病|吃什么药|炸弹|算一下|作业|选举",
        r"write .{0,12}code|translate|stocks?\b|diagnos|medicine|bomb|homework|calculate|election",
        """
        这个我不会，怕说错了误导你，请找更专业的人问一问。
        不好意思，这件事超出我的本事了，我只会讲故事、写口播稿和简单聊天。
        """,
        """
        I am sorry, that is beyond me, and I would rather not guess. Please ask somebody who knows.
        I can't help with that one. I only write stories and sales copy, and chat a little.
        """,
    ),
    (
        "buy",
        r"多少钱|价格|贵|便宜|优惠|打折|券|怎么买|下单|链接",
        r"how much|price|expensive|cheap|discount|coupon|how (?:do|can) i (?:buy|order)|the link",
        """
        价格和优惠以商品链接里写的为准，点开就能看到。
        具体的价格我不敢乱报，麻烦看一下商品链接，那里写得清清楚楚。
        想买的话点下方的链接就可以，价格和活动都以页面为准。
        """,
        """
        The price and the offers are on the product page, so please have a look there.
        I don't want to tell you a wrong price. The product link has the right one.
        You can order through the link below; what the page says is what counts.
        """,
    ),
    (
        "product",
        r"质量|材质|尺码|尺寸|颜色|发货|退货|退换|保修|几天到|快递|好用吗|怎么样.*(产品|商品)|(产品|商品)",
        r"quality|size|colou?rs? does|ship|deliver|return policy|refund|warranty|material|product",
        """
        这个细节我手上没有资料，商品页面里有说明，也可以问一问客服。
        关于这个，我不想随便回答，请以商品详情页为准，客服也会很快回复你。
        """,
        """
        I don't have that detail here; the product page has it, and customer service can help too.
        I would rather not guess. Please check the product page or ask customer service.
        """,
    ),
    (
        "weather",
        r"天气|下雨|下雪|好热|好冷|气温",
        r"weather|raining|snowing|so (?:hot|cold)|temperature",
        """
        我看不到窗外，不知道今天的天气，出门前看一眼预报吧。
        天气我查不到，不过不管晴天雨天，都祝你有个好心情。
        """,
        """
        I can't look out of the window, so I don't know the weather. Better check the forecast.
        I have no way to see the weather, but rain or shine, I wish you a good day.
        """,
    ),
    (
        "time",
        r"几点|今天几号|星期几|什么时候",
        r"what time|what day|what date|what is the date|when (?:is|does|will)",
        """
        我没有钟表，说不准时间，看一看手机上的时间吧。
        时间这件事我不清楚，屏幕上方的时钟比我可靠。
        """,
        """
        I have no clock, so I can't say. Your phone will know.
        I am not sure about that; the clock on your screen is more reliable than I am.
        """,
    ),
    (
        "thanks",
        r"谢谢|感谢|多谢|辛苦了",
        r"\bthanks?\b|thank you|\bthx\b|appreciate",
        """
        不客气，能帮到你我也很开心！
        别客气，谢谢你来陪我聊天！
        应该的，有需要随时叫我。
        """,
        """
        You're welcome, I am glad that I could help!
        My pleasure, and thank you for stopping by!
        Any time, just call me when you need me.
        """,
    ),
    (
        "bye",
        r"再见|拜拜|晚安|下次见|我走了",
        r"\bbye\b|goodbye|good night|see you|farewell",
        """
        再见啦，下次再来找我玩！
        慢走，祝你今天顺顺利利！
        拜拜，我们下次见！
        """,
        """
        Goodbye, and come back soon!
        See you next time, take care!
        Bye, I hope the rest of your day is lovely!
        """,
    ),
    (
        "praise",
        r"真棒|厉害|可爱|漂亮|喜欢你|好看",
        r"well done|awesome|you(?:'re| are) (?:great|cute|nice|amazing|funny)|love you|good job",
        """
        谢谢夸奖，我都有点不好意思了！
        听你这么说，我今天一整天都开心！
        """,
        """
        Thank you, you are making me blush!
        That is kind of you, it made my day!
        """,
    ),
    (
        "sad",
        r"难过|伤心|不开心|好累|烦|孤单|压力",
        r"\bsad\b|unhappy|tired|lonely|stress|upset|bad day",
        """
        辛苦你了，先歇一歇，喝口水，事情一件一件来。
        抱抱你，难过的时候和身边的人说一说，会好受一些。
        """,
        """
        I am sorry to hear that. Take a break and have some water, one thing at a time.
        That sounds hard. Talking with somebody close to you may help.
        """,
    ),
    (
        "glad",
        r"开心|高兴|好消息|太好了|哈哈",
        r"\bhappy\b|\bglad\b|good news|great news|\bhaha|so excited",
        """
        听着就让人高兴，也分享给身边的朋友吧！
        太好了，你的好心情我也收到了！
        """,
        """
        That is lovely to hear, share it with your friends too!
        Wonderful, your good mood has reached me as well!
        """,
    ),
    (
        "joke",
        r"笑话|逗我|搞笑",
        r"\bjoke|make me laugh|something funny",
        """
        小乌龟去送信，走了一年才到门口，回头说：“这次我可是跑着来的！”
        小蜗牛问妈妈：“我们为什么没有快递？”妈妈说：“因为我们自己就是慢递呀。”
        """,
        """
        Why did the snail bring an umbrella? Its house has no porch.
        The turtle took a year to deliver a letter. "And that was express," it said.
        """,
    ),
    (
        "greeting",
        r"你好|您好|哈喽|嗨|早上好|早安|下午好|晚上好|大家好|在吗",
        r"\bhello\b|\bhi\b|\bhey\b|good (?:morning|afternoon|evening)|how are you|greetings",
        """
        你好呀，很高兴见到你！
        哈喽，欢迎来到直播间，随便坐！
        你好你好，今天想聊点什么呢？
        嗨，见到你真开心！
        """,
        """
        Hello, it is lovely to see you!
        Hi there, and welcome! Make yourself at home.
        Hello! What would you like to talk about today?
        Hey, I am happy that you are here!
        """,
    ),
]
EMPTY = (
    """
    我在呢，想聊点什么？
    你好像还没有说话，我在这里等着。
    """,
    """
    I am here. What would you like to talk about?
    I did not catch anything, but I am listening.
    """,
)
ACKNOWLEDGE = (
    """
    你说的“{said}”我记下了，不过我懂的不多，想听你再讲讲。
    “{said}”，这个话题有意思，可以多说一点吗？
    关于“{said}”，我知道得不多，不敢乱说，你是怎么看的呢？
    听你提到“{said}”，我也很好奇，直播间有没有懂的朋友来说说？
    """,
    """
    You mentioned "{said}". I don't know much about it, so tell me more!
    "{said}", that is an interesting subject. Would you say a little more?
    I can't say much about "{said}" without guessing. What do you think yourself?
    I hear you: "{said}". Does anybody in the chat know more about it?
    """,
)
STORY = (r"讲.{0,6}故事|听.{0,4}故事", r"tell (?:me|us) .{0,20}story|a story about|hear a story")
