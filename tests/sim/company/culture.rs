//! Names as people write them, and as their usernames do. Letters beyond the first plane, ligatures, apostrophes and
//! letters that change length with their case are in it on purpose.

/// A name and its ASCII form.
pub(super) type Name = (&'static str, &'static str);

/// Names that go together.
pub(super) struct Culture {
    pub(super) given: &'static [Name],
    pub(super) family: &'static [Name],
    pub(super) order: Order,
}

/// Which name comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// With a space between.
    GivenFirst,
    /// Without.
    FamilyFirst,
}

/// Where people come from.
#[rustfmt::skip]
pub(super) const CULTURES: &[Culture] = &[
    // Latin, western
    Culture {
        given: &[
            ("José", "jose"), ("Zoë", "zoe"), ("Françoise", "francoise"), ("Søren", "soren"),
            ("Jürgen", "jurgen"), ("Núria", "nuria"), ("Ana", "ana"), ("D’Arcy", "darcy"),
        ],
        family: &[
            ("Muñoz", "munoz"), ("Müller", "muller"), ("Ångström", "angstrom"), ("O’Brien", "obrien"),
            ("Gonçalves", "goncalves"), ("Sørensen", "sorensen"), ("Lima", "lima"), ("Nuñez-Ruiz", "nunez-ruiz"),
        ],
        order: Order::GivenFirst,
    },
    // Latin, central and eastern
    Culture {
        given: &[
            ("Łukasz", "lukasz"), ("Božena", "bozena"), ("Zoltán", "zoltan"), ("Ștefan", "stefan"),
            ("Çağla", "cagla"), ("Jiří", "jiri"), ("İpek", "ipek"), ("Đorđe", "dorde"),
        ],
        family: &[
            ("Wałęsa", "walesa"), ("Dvořák", "dvorak"), ("Szőke", "szoke"), ("Țîrlea", "tirlea"),
            ("Yıldız", "yildiz"), ("Šimkūnas", "simkunas"), ("Kovačević", "kovacevic"), ("Żółć", "zolc"),
        ],
        order: Order::GivenFirst,
    },
    // Vietnamese
    Culture {
        given: &[
            ("Thị", "thi"), ("Đức", "duc"), ("Hằng", "hang"), ("Hiếu", "hieu"),
            ("Mỹ", "my"), ("Quỳnh", "quynh"), ("Tuấn", "tuan"), ("Vân", "van"),
        ],
        family: &[
            ("Nguyễn", "nguyen"), ("Trần", "tran"), ("Lê", "le"), ("Phạm", "pham"),
            ("Huỳnh", "huynh"), ("Đặng", "dang"), ("Võ", "vo"), ("Bùi", "bui"),
        ],
        order: Order::GivenFirst,
    },
    // Cyrillic
    Culture {
        given: &[
            ("Анна", "anna"), ("Юрий", "yuriy"), ("Ольга", "olga"), ("Їжак", "yizhak"),
            ("Светлана", "svetlana"), ("Ђорђе", "djordje"), ("Николай", "nikolay"), ("Щедра", "shchedra"),
        ],
        family: &[
            ("Иванова", "ivanova"), ("Шевченко", "shevchenko"), ("Ковальчук", "kovalchuk"), ("Йорданов", "yordanov"),
            ("Ќосев", "kjosev"), ("Петров", "petrov"), ("Ўладзіміраў", "uladzimirau"), ("Соколова", "sokolova"),
        ],
        order: Order::GivenFirst,
    },
    // Greek
    Culture {
        given: &[
            ("Ελένη", "eleni"), ("Γιώργος", "giorgos"), ("Μαρία", "maria"), ("Νίκος", "nikos"),
            ("Άννα", "anna"), ("Κώστας", "kostas"), ("Ζωή", "zoi"), ("Ιάσονας", "iasonas"),
        ],
        family: &[
            ("Παπαδόπουλος", "papadopoulos"), ("Γεωργίου", "georgiou"), ("Αθανασίου", "athanasiou"), ("Χριστοδούλου", "christodoulou"),
            ("Οικονόμου", "oikonomou"), ("Βλάχος", "vlachos"), ("Ρήγας", "rigas"), ("Μακρής", "makris"),
        ],
        order: Order::GivenFirst,
    },
    // Arabic
    Culture {
        given: &[
            ("محمد", "mohammed"), ("فاطمة", "fatima"), ("أحمد", "ahmed"), ("ليلى", "layla"),
            ("يوسف", "yousef"), ("نور", "nour"), ("خالد", "khaled"), ("مريم", "maryam"),
        ],
        family: &[
            ("الحداد", "alhaddad"), ("منصور", "mansour"), ("العلي", "alali"), ("حسن", "hassan"),
            ("الخطيب", "alkhatib"), ("سعيد", "saeed"), ("النجار", "alnajjar"), ("ناصر", "nasser"),
        ],
        order: Order::GivenFirst,
    },
    // Hebrew
    Culture {
        given: &[
            ("דוד", "david"), ("שרה", "sarah"), ("יעל", "yael"), ("משה", "moshe"),
            ("נועה", "noa"), ("אורי", "uri"), ("תמר", "tamar"), ("איתן", "eitan"),
        ],
        family: &[
            ("כהן", "cohen"), ("לוי", "levi"), ("מזרחי", "mizrahi"), ("פרץ", "peretz"),
            ("ביטון", "biton"), ("פרידמן", "friedman"), ("אברהם", "avraham"), ("גולן", "golan"),
        ],
        order: Order::GivenFirst,
    },
    // Devanagari
    Culture {
        given: &[
            ("आरव", "aarav"), ("दीपिका", "deepika"), ("प्रिया", "priya"), ("राहुल", "rahul"),
            ("कृष्ण", "krishna"), ("श्रेया", "shreya"), ("विजय", "vijay"), ("नेहा", "neha"),
        ],
        family: &[
            ("शर्मा", "sharma"), ("सिंह", "singh"), ("गुप्ता", "gupta"), ("पाटील", "patil"),
            ("द्विवेदी", "dwivedi"), ("जोशी", "joshi"), ("क्षीरसागर", "kshirsagar"), ("मिश्रा", "mishra"),
        ],
        order: Order::GivenFirst,
    },
    // Thai
    Culture {
        given: &[
            ("สมชาย", "somchai"), ("สุดา", "suda"), ("นภา", "napa"), ("ประวิทย์", "prawit"),
            ("ศิริพร", "siriporn"), ("อรุณ", "arun"), ("มาลี", "malee"), ("วิชัย", "wichai"),
        ],
        family: &[
            ("ใจดี", "jaidee"), ("ศรีสุข", "srisuk"), ("ทองคำ", "thongkham"), ("บุญมี", "boonmee"),
            ("แสงทอง", "saengthong"), ("วงศ์ใหญ่", "wongyai"), ("พงษ์ไพบูลย์", "phongphaibun"), ("สุวรรณ", "suwan"),
        ],
        order: Order::GivenFirst,
    },
    // Chinese
    Culture {
        given: &[
            ("伟", "wei"), ("芳", "fang"), ("娜", "na"), ("秀英", "xiuying"),
            ("敏", "min"), ("静", "jing"), ("志強", "zhiqiang"), ("美玲", "meiling"),
        ],
        family: &[
            ("王", "wang"), ("李", "li"), ("張", "zhang"), ("刘", "liu"),
            ("陈", "chen"), ("楊", "yang"), ("欧阳", "ouyang"), ("𠮷", "ji"),
        ],
        order: Order::FamilyFirst,
    },
    // Japanese
    Culture {
        given: &[
            ("太郎", "taro"), ("花子", "hanako"), ("さくら", "sakura"), ("健一", "kenichi"),
            ("陽菜", "hina"), ("ケン", "ken"), ("翔太", "shota"), ("美咲", "misaki"),
        ],
        family: &[
            ("佐藤", "sato"), ("鈴木", "suzuki"), ("髙橋", "takahashi"), ("田中", "tanaka"),
            ("渡邊", "watanabe"), ("伊藤", "ito"), ("小林", "kobayashi"), ("﨑山", "sakiyama"),
        ],
        order: Order::FamilyFirst,
    },
    // Korean
    Culture {
        given: &[
            ("민준", "minjun"), ("서연", "seoyeon"), ("지훈", "jihoon"), ("수빈", "subin"),
            ("하은", "haeun"), ("도윤", "doyun"), ("예진", "yejin"), ("현우", "hyunwoo"),
        ],
        family: &[
            ("김", "kim"), ("이", "lee"), ("박", "park"), ("최", "choi"),
            ("정", "jung"), ("강", "kang"), ("조", "cho"), ("남궁", "namgung"),
        ],
        order: Order::FamilyFirst,
    },
    // Ethiopic
    Culture {
        given: &[
            ("አበበ", "abebe"), ("ሰላም", "selam"), ("ተስፋዬ", "tesfaye"), ("ሀና", "hana"),
            ("ዳዊት", "dawit"), ("ማርታ", "marta"), ("ብርሃኑ", "birhanu"), ("ፀሐይ", "tsehay"),
        ],
        family: &[
            ("በቀለ", "bekele"), ("ገብረመድኅን", "gebremedhin"), ("ታደሰ", "tadesse"), ("ወልደማርያም", "woldemariam"),
            ("ከበደ", "kebede"), ("ኃይሉ", "hailu"), ("ደስታ", "desta"), ("መኮንን", "mekonnen"),
        ],
        order: Order::GivenFirst,
    },
    // Georgian
    Culture {
        given: &[
            ("ნინო", "nino"), ("გიორგი", "giorgi"), ("თამარ", "tamar"), ("ლევან", "levan"),
            ("მარიამ", "mariam"), ("დავით", "davit"), ("ანა", "ana"), ("ზურაბ", "zurab"),
        ],
        family: &[
            ("ბერიძე", "beridze"), ("კაპანაძე", "kapanadze"), ("გელაშვილი", "gelashvili"), ("მაისურაძე", "maisuradze"),
            ("ჯანელიძე", "janelidze"), ("წერეთელი", "tsereteli"), ("ღლონტი", "ghlonti"), ("ყიფიანი", "kipiani"),
        ],
        order: Order::GivenFirst,
    },
    // Armenian
    Culture {
        given: &[
            ("Արամ", "aram"), ("Անի", "ani"), ("Հայկ", "hayk"), ("Նարե", "nare"),
            ("Տիգրան", "tigran"), ("Լիլիթ", "lilit"), ("Վահե", "vahe"), ("Սոնա", "sona"),
        ],
        family: &[
            ("Հակոբյան", "hakobyan"), ("Սարգսյան", "sargsyan"), ("Պետրոսյան", "petrosyan"), ("Գրիգորյան", "grigoryan"),
            ("Ղազարյան", "ghazaryan"), ("Մկրտչյան", "mkrtchyan"), ("Ավագյան", "avagyan"), ("Խաչատրյան", "khachatryan"),
        ],
        order: Order::GivenFirst,
    },
    // Tamil
    Culture {
        given: &[
            ("கவிதா", "kavitha"), ("முருகன்", "murugan"), ("லட்சுமி", "lakshmi"), ("அருண்", "arun"),
            ("தமிழ்", "tamil"), ("சரவணன்", "saravanan"), ("மீனா", "meena"), ("கார்த்திக்", "karthik"),
        ],
        family: &[
            ("சுப்பிரமணியன்", "subramanian"), ("ராஜா", "raja"), ("செல்வம்", "selvam"), ("பாண்டியன்", "pandian"),
            ("கிருஷ்ணன்", "krishnan"), ("நடராஜன்", "natarajan"), ("வேலு", "velu"), ("குமார்", "kumar"),
        ],
        order: Order::GivenFirst,
    },
    // Bengali
    Culture {
        given: &[
            ("অনন্যা", "ananya"), ("সৌমিত্র", "soumitra"), ("রহিম", "rahim"), ("শর্মিলা", "sharmila"),
            ("তানভীর", "tanvir"), ("মিতালী", "mitali"), ("অর্জুন", "arjun"), ("নুসরাত", "nusrat"),
        ],
        family: &[
            ("চট্টোপাধ্যায়", "chattopadhyay"), ("হোসেন", "hossain"), ("ঘোষ", "ghosh"), ("রহমান", "rahman"),
            ("সেন", "sen"), ("আক্তার", "akter"), ("বন্দ্যোপাধ্যায়", "bandyopadhyay"), ("দাস", "das"),
        ],
        order: Order::GivenFirst,
    },
];
