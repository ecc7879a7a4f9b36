"""What editing adds to livestream copy, and the mistakes that it corrects."""

ZH = {
    "greeting": """
        家人们，大家好！
        朋友们好，欢迎来到直播间！
        哈喽，各位朋友！
        大家好，感谢每一位来到直播间的朋友！
    """,
    "bridge": """
        说到这里，
        大家来看，
        接下来，
        再跟大家说一说，
        来，
    """,
    "closing": """
        喜欢的朋友点个关注，有问题打在公屏上！
        有想问的，打在公屏上，我来回答大家。
        感谢大家的陪伴，我们继续往下看！
        喜欢就留下来，多陪我们一会儿吧！
    """,
    "lively": """
        是不是很期待？
        准备好了吗？我们一起来看！
        喜欢的朋友动动手指，让我看到你们！
        来，公屏上热闹起来！
    """,
    "formal_greeting": """
        各位朋友，大家好。
        各位观众，欢迎您来到直播间。
        尊敬的各位朋友，您好。
    """,
    "formal_closing": """
        感谢您的关注与支持。
        如有疑问，欢迎您随时咨询。
        详细信息请以商品页面为准，感谢您的观看。
    """,
    "warm_greeting": """
        亲爱的朋友们，大家好呀。
        我的朋友们，见到你们真开心。
        朋友们，先坐下来歇一歇。
    """,
    "warm_closing": """
        不着急，我在这里陪着大家慢慢看。
        谢谢你们愿意花时间听我说，记得照顾好自己。
        有什么想说的就告诉我，我都在。
    """,
    "question": """
        大家平时会怎么选呢？打在公屏上告诉我！
        你们觉得怎么样？在公屏上聊一聊吧！
        有想了解的朋友吗？在公屏上扣个一，我来讲！
        屏幕前的你，是从哪里来的呀？打在公屏上让我看到！
        还想听我讲哪一点？把问题留在公屏上！
    """,
    "draft": """
        接下来的时间，我会慢慢讲给大家听，不着急，一样一样来。
        不管你是新朋友还是老朋友，都可以坐下来，好好听一听。
        有什么想了解的，直接打在公屏上，我看到就会回答。
        觉得有用的话，也可以分享给身边的朋友。
    """,
    "filler": """
        喜欢就点个关注。
        有问题打在公屏上。
        我会一个一个回答大家。
        感谢每一位朋友的陪伴。
        想了解更多，就留在直播间。
        也欢迎把直播间分享给身边的朋友。
        不着急，我们慢慢看，慢慢聊。
        谢谢大家。
        我们继续。
        来。
        好。
        一起来看看吧。
        今天也要开开心心的。
        新来的朋友先坐一坐，听我把话说完。
        老朋友们帮忙带一带节奏，让气氛热起来。
        大家的每一条留言，我都会认真看。
        觉得不错的话，给主播点个小红心。
        接下来的内容，也请大家不要走开。
        如果你是头一次来，欢迎先点个关注再听。
        想看哪一个细节，说一声，我就拿近一点给大家看。
        听不清楚的朋友，可以把声音调大一点。
        我们直播间的规矩就是，慢慢讲，讲明白。
        有什么建议，也可以直接告诉我，我记在本子上。
        晚一点来的朋友也不用担心，我会再说一遍。
    """,
}
EN = {
    "greeting": """
        Hello everyone, and welcome!
        Hi friends, so good to see you here!
        Welcome to the stream, everybody!
    """,
    "bridge": """
        Now,
        And here we go:
        Let me tell you:
        Take a look:
    """,
    "closing": """
        If you have any questions, put them in the chat!
        Thank you for being here, and stay with us!
        If you like what you hear, follow us and stay a while!
    """,
    "lively": """
        Are you ready?
        Let me see you in the chat!
        Isn't that exciting?
    """,
    "formal_greeting": """
        Good day, and welcome.
        Welcome, ladies and gentlemen.
    """,
    "formal_closing": """
        Thank you for your attention.
        Please do not hesitate to ask if you have any questions.
    """,
    "warm_greeting": """
        Hello, dear friends, it is so good to see you.
        Come in, make yourself comfortable.
    """,
    "warm_closing": """
        Take your time, I am here with you.
        Thank you for spending your time with me, and take good care of yourself.
    """,
    "question": """
        What do you think? Tell me in the chat!
        How would you use it? Let me know in the chat!
        Where are you watching from? Write it in the chat!
        Is there anything else you want to know? Ask me in the chat!
    """,
    "draft": """
        I will take you through it step by step, so there is no need to hurry.
        Whether you are new here or an old friend, make yourself comfortable.
        If there is anything you want to know, just ask in the chat.
        And if you find it useful, share it with a friend.
    """,
    "filler": """
        OK.
        Yes.
        Thank you.
        Stay with us.
        Let's go on.
        Ask me in the chat.
        Follow us to hear more.
        I will answer every question.
        It is good to have you with us today.
        Share the stream with a friend.
        Take your time, there is no hurry.
        New friends, have a seat and listen.
        Every message in the chat will be read.
        If you like it, leave us a little heart.
    """,
}
TYPOS = {
    "因该": "应该",
    "帐号": "账号",
    "必竟": "毕竟",
    "在接再厉": "再接再厉",
    "穿流不息": "川流不息",
    "按装": "安装",
    "即然": "既然",
    "已后": "以后",
    "在坐的": "在座的",
    "做为": "作为",
    "teh": "the",
    "recieve": "receive",
    "definately": "definitely",
    "seperate": "separate",
    "untill": "until",
    "alot": "a lot",
    "dont": "don't",
    "wont": "won't",
    "cant": "can't",
    "doesnt": "doesn't",
    "wich": "which",
    "thier": "their",
}
# Words of the street, and what is said instead in a formal text: regular expressions.
FORMAL = {
    "zh": [
        ("家人们|宝宝们|宝子们|亲们|老铁们", "各位朋友"),
        ("哈喽|嗨", "您好"),
        ("超级|超(?=好|赞|值)", "非常"),
        ("[~～]+", "。"),
    ],
    "en": [(r"\b(?:Hey|Hi)\b", "Hello"), (r"\bguys\b", "everyone"), (r"\bsuper\b", "very")],
}
# Words that may be made warmer, by what stands before them.
WARMER = {
    "zh": [("欢迎", "热烈"), ("感谢", "衷心"), ("推荐", "用心")],
    "en": [("welcome", "warmly"), ("recommend", "warmly")],
}
