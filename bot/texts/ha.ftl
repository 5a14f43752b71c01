# Every sentence the service says in Hausa. Plain words, short sentences, polite plural.
# English: en.ftl has the same keys (tested). Status: draft until a Hausa-speaking clinician signs it.

welcome =
    Sannu. Wannan mataimakin lafiya ne na Hausa. Na'ura ce ke amsawa, ba likita ba.
    Ku rubuta tambayarku game da lafiya da Hausa, za a amsa muku.
    Idan akwai haɗari yanzu, kada ku jira amsa: { $emergency }, ko ku je asibiti mafi kusa.
welcome-samples = Ga wasu misalan tambayoyi:

sample-1 = Ina jin ciwon kai da zazzabi tun kwana biyu. Me ya kamata in yi?
sample-2 = Dana yana da gudawa sosai. Ina bukatan taimako.
sample-3 = Yaya ake hana malaria lokacin damina?
sample-4 = Ina da ciwon sukari. Wanne abinci ya dace da ni?
sample-1-short = Ciwon kai da zazzaɓi
sample-2-short = Gudawar yaro
sample-3-short = Hana malaria
sample-4-short = Ciwon sukari da abinci

consent-ask =
    Sannu. Wannan mataimakin lafiya ne na Hausa. Na'ura ce ke amsawa, ba likita ba.
    Kafin mu amsa, muna neman yardarku:
    • Za a adana saƙonninku domin a amsa muku, kuma ma'aikatan lafiya za su iya karanta su.
    • Ba za a sayar da bayananku ba. Kuna iya rubuta GOGE a kowane lokaci domin a goge komai.
    Shin kun yarda?
    Idan akwai haɗari yanzu, kada ku jira: { $emergency }, ko ku je asibiti mafi kusa.
consent-thanks = Mun gode.
consent-no =
    Ba damuwa. Ba za mu amsa tambaya ba sai da yardarku. Idan kun canza ra'ayi, ku rubuta FARA.
    Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
notice =
    Ku sani: na'ura ce ke amsawa, ba likita ba. Ana adana saƙonninku domin a amsa muku, kuma ma'aikatan lafiya za su iya karanta su. Ku rubuta GOGE domin a goge komai, ko TSAYA domin a daina.
training-ask =
    Tambaya ɗaya: kun yarda a yi amfani da saƙonninku, ba tare da suna ko lamba ba, domin a inganta wannan mataimaki? Ko kun ƙi, za a ci gaba da amsa muku.
training-yes = Mun gode. Idan kun canza ra'ayi, ku rubuta GUDUMMAWA.
training-no = To, ba za a yi amfani da saƙonninku ba domin horar da mataimakin. Za a ci gaba da amsa muku.

label-agree = Na yarda
label-refuse = A'a
label-yes = Eh
label-no = A'a
label-swap = A sa shi aiki
label-curve = Zane
label-resume = Ci gaba da horo
label-cancel = A dakatar da shi
label-more = Ƙari
label-hausa = Hausa
label-english = English

help =
    Idan akwai haɗari yanzu: { $emergency }, ko ku je asibiti mafi kusa.

    Ku rubuta tambayarku game da lafiya da Hausa. Kuna kuma iya rubuta:
    • ƘARI — ƙarin bayani kan amsar ƙarshe
    • GAGGAWA — lambobin taimakon gaggawa
    • TSAYA — a daina; FARA — a sake farawa
    • BAYANAINA — fayil na duk abin da aka adana game da ku
    • GOGE — a goge duk abin da aka adana
    • GUDUMMAWA — yarda ko ƙi a inganta mataimakin da saƙonninku
    • HARSHE — Hausa ko Turanci
emergency =
    Idan rai yana cikin haɗari: { $emergency }, ko ku je asibiti mafi kusa yanzu. Kada ku jira amsa a nan.
    Ku rubuta abin da ya faru a gajeriyar magana, za mu faɗa muku abin da za a yi kafin taimako ya zo.

stop-done = An tsaya. Ba za a ƙara aika muku saƙo ba. Idan kuna son a sake farawa, ku rubuta FARA.
stopped = Kun ce a tsaya, don haka ba a amsa tambayoyi ba. Ku rubuta FARA domin a ci gaba. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
resumed = Mun sake farawa. Ku rubuta tambayarku game da lafiya.

erase-ask = Kuna so a goge duk abin da aka adana game da ku: saƙonni, suna da yarda? Ba za a iya dawo da su ba.
erase-done = An goge duk abin da aka adana game da ku. Idan kun sake rubutawa, za mu fara kamar sababbi.
erase-kept = To, ba a goge komai ba.
data-file = Ga duk abin da aka adana game da ku, a cikin fayil.
data-link =
    Ga duk abin da aka adana game da ku: { $link }
    Adireshin zai yi aiki na awa 24. Kada ku ba wa wani.
menu-taimako = Yadda ake amfani da mataimakin
menu-gaggawa = Lambobin taimakon gaggawa
menu-kari = Ƙarin bayani kan amsar ƙarshe
menu-harshe = Hausa ko Turanci
menu-bayanaina = Fayil na duk abin da aka adana game da ku
menu-gudummawa = Yarda ko ƙi a inganta mataimakin da saƙonninku
menu-tsaya = A daina aiko muku da saƙo
menu-fara = A fara, ko a sake farawa
menu-goge = A goge duk abin da aka adana game da ku
language-ask = Da wane harshe kuke so a amsa muku?
language-set = To, za a amsa muku da Hausa.

more-none = Babu ƙarin bayani yanzu. Ku rubuta tambayarku.
library-lead = Amsa game da: { $title }
likely-note = Idan ba wannan kuke tambaya ba, ku zaɓa a ƙasa, ko ku sake rubutawa da wasu kalmomi.
late-note = (Lokaci ya ƙare kafin a gama rubuta wannan amsa. Idan akwai abin da kuke son ƙarin bayani a kai, ku sake tambaya.)
withdrawn = (An janye abin da ke sama. Ga amsar:)

voice = Yi haƙuri, ba mu iya jin saƙon murya ba tukuna. Ku rubuta tambayarku a gajeriyar magana. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
photo = Yi haƙuri, ba mu iya ganin hoto ko bidiyo ba. Ku rubuta abin da ke damunku da kalmomi. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
attachment-note = (Ba mu iya duba abin da kuka haɗa ba; mun karanta rubutun kawai.)
document = Yi haƙuri, ba mu iya buɗe fayil ba. Ku rubuta tambayarku da kalmomi.
sticker = Mun gode. Idan kuna da tambaya game da lafiya, ku rubuta ta da Hausa.
location = Mun ga inda kuke, amma ba mu iya aika kowa ba. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
contact = Ba ma buƙatar lambar wani. Ku rubuta tambayarku game da lafiya.
other = Yi haƙuri, ba mu gane irin wannan saƙo ba. Ku rubuta tambayarku game da lafiya da Hausa.
group = Domin sirrinku, ba ma amsa tambayar lafiya a cikin rukuni. Ku rubuto mana kai tsaye. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
edited-note = Mun ga gyaran da kuka yi wa saƙonku.

empty = Saƙonku babu rubutu a ciki. Ku rubuta tambayarku game da lafiya da Hausa.
nonsense = Ba mu fahimta ba. Ku rubuta tambayarku da kalmomi, misali: { $sample }
ajami = Yi haƙuri, ba mu iya karanta Ajami ba tukuna. Ku rubuta da haruffan boko, misali: { $sample } Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
other-language = Yi haƙuri, Hausa kawai muke fahimta sosai. Ku rubuta tambayarku da Hausa. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
# Above an emergency's Hausa text, for who wrote in another language: the same in both files.
urgent-french = Faites-vous aider tout de suite : allez à l'hôpital le plus proche. Les numéros à appeler sont ci-dessous.
urgent-english = Get help now: go to the nearest hospital. The numbers to call are below. For English answers write: English.
too-many = Kun aika saƙonni da yawa cikin minti ɗaya. Ku ɗan jira kaɗan, sannan ku sake rubutawa. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.
too-long = Saƙonku ya yi tsawo sosai. Ku rubuta tambayar a taƙaice, cikin jimla ɗaya ko biyu. Idan akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa.

greeting = Sannu, barka da zuwa. Me ke damunku, ko me kuke son sani game da lafiya?
greeting-salam = Wa alaikumus salam. Me ke damunku, ko me kuke son sani game da lafiya?
thanks = Mun gode muku ma. Idan akwai wata tambaya game da lafiya, ku rubuta.

suggest = Ba mu tabbatar da abin da kuke tambaya ba. Shin game da ɗaya daga cikin waɗannan ne? Idan ba haka ba, ku sake rubutawa da wasu kalmomi, ko ku tambayi ma'aikacin lafiya.
fallback = Ba mu da tabbatacciyar amsa ga wannan tambaya. Ku tambayi ma'aikacin lafiya a asibiti ko cibiyar lafiya mafi kusa. Idan ciwon yana ƙaruwa ko akwai haɗari: { $emergency }, ko ku je asibiti mafi kusa yanzu.
off-topic = Wannan mataimaki yana amsa tambayoyin lafiya kawai. Ga wasu misalai:

nearby-ask = A wace jiha da ƙaramar hukuma kuke? Ku rubuta sunansu, za a faɗa muku asibiti ko cibiyar lafiya a can. Idan akwai haɗari yanzu, kada ku jira: { $emergency }, ko ku je asibiti mafi kusa.
nearby-list = Asibiti ko cibiyar lafiya a { $place }:
nearby-none = Babu sunan asibiti a { $place } a jerin da muke da shi. Ku tambayi mutanen unguwa, ku je asibiti ko cibiyar lafiya mafi kusa. Idan akwai haɗari: { $emergency }.
nearby-tell = Idan kun rubuta jiha da ƙaramar hukuma, za a faɗa muku sunan asibiti a can. Amma kada ku jira amsa.
nearby-or = ko

link-expired = Wannan adireshi ya daina aiki. Ku sake rubuta BAYANAINA domin a ba ku sabo.
error-page = An samu matsala. Ku sake gwadawa.

alert =
    Alamar haɗari: { $sign } ({ $urgency })
    Tattaunawa #{ $conversation }, { $channel }, { $time }
    An ba su amsar gaggawa. Ku duba.
status =
    Injin amsa: { $engine } — { $detail }
    Ɗakin karatu: batutuwa { $topics }, alamomin haɗari { $signs }
    Cikin awa ɗaya: saƙonni { $received }, amsoshi { $answered } (haɗari { $danger }, ɗakin karatu { $library }, samfuri { $model }, madadin amsa { $fallback })
    Ana jira: { $queued } a layi, { $unsent } ba a aika ba, { $failed } sun kasa isa
    Tashoshi: { $channels }
admin-help =
    Ga masu kula da bot:
    /status — yanayin aikin bot
    /models — jerin nau'o'in samfurin AI
    /load SUNA — a ɗora wani nau'i domin a kwatanta shi
    /compare TAMBAYA — a yi wa asalin samfuri, wanda ke aiki da wanda ake gwadawa tambaya ɗaya
    /swap SUNA — a sa wani nau'i ya fara aiki, in ya ci jarabawa
    /rollback — a koma ga wanda ke aiki a baya
    /set temperature 0.3, ko /set max_tokens 300 — yadda ake rubuta amsa
    /train epochs=1 lr=2e-4 rank=32 batch=2 data=starter,store evaluate=no — a horar da sabon nau'i; ana iya barin kowace kalma bayan umarnin
    /progress — inda horo ya kai; /progress zane — hotonsa
    /cancel — a dakatar da horo ko jarabawa
    /resume — a ci gaba da horon da ya tsaya
    /evaluate SUNA — a yi wa nau'i jarabawa
    /data — kundin bayanan horo
    /save SUNA — a adana nau'i a kan na'urar da nake aiki; sabon nau'i zai sami sunan da kuka zaɓa; a bayan suna: adapter, merged, gguf ko hub
    /export SUNA — a karɓi fayil ɗin nau'i; in babu suna: wanda ke aiki
    /answers — sababbin amsoshi da za a iya gyarawa
    /correct LAMBA AMSA — amsar da ta dace, domin horo na gaba
    /console — allon kulawa a burauza
admin-usage-save = A rubuta suna a bayan umarnin, misali: /save SUNA, ko /save SUNA gguf. Siffofin su ne adapter, merged, gguf da hub. /models zai nuna sunayen.
admin-usage-export = A rubuta misali /export, /export SUNA, ko /export SUNA gguf. /models zai nuna sunayen.
admin-labelled = Daga yanzu sunan { $release } shi ne { $label }.
admin-saved = An adana { $release } ({ $form }, { $size }). Yana nan a kan na'urar da nake aiki: { $place }
admin-export-begun = Ana shirya { $release } ({ $form }). Zai iya ɗaukar mintuna; ana ci gaba da amsa wa mutane. Zan sanar da ku idan ya shirya.
admin-export-ready = { $release } ({ $form }, { $size }) ya shirya. Don a karɓa: /export { $release } { $form }
admin-export-file = Ga { $release } ({ $form }, { $size }). Lasisi da bayani suna ciki.
admin-export-link = { $release } ({ $form }, { $size }). Duk wanda ke da wannan adireshin zai iya saukewa cikin awa ɗaya: { $link }
admin-export-place = Ba za a iya aika { $release } ({ $form }, { $size }) a nan ba. Yana nan a kan na'urar da nake aiki: { $place }
admin-export-busy = Ana shirya wani nau'i yanzu ({ $run }). A jira ya ƙare, sannan a sake ba da umarni.
admin-export-failed = Ba a iya shirya { $release } ({ $form }) ba. Dalili: { $reason }
admin-push-ask = A tura adapter na { $release } zuwa Hugging Face hub, a ma'ajiya ta sirri mai suna { $repo }? Duk wanda aka ba damar karanta ma'ajiyar zai sami samfurin.
admin-push-none = Ba ni da mabuɗin Hugging Face hub. Mai kula da na'urar ya saita HF_TOKEN.
admin-pushed = { $release } ({ $form }) yana nan: { $link }
admin-models = Wanda ke aiki: { $release }
admin-models-none = Ba a ƙara wani nau'i ba tukuna.
admin-model = • { $release } — { $state }{ $figures }
admin-state-candidate = ba a yi masa jarabawa ba tukuna
admin-state-passed = ya ci jarabawa
admin-state-failed = ya faɗi jarabawa
admin-state-live = yana aiki
admin-state-retired = an ajiye shi
admin-state-forced = an sa shi aiki ba tare da cin jarabawa ba
admin-instance = • { $instance } ({ $engine }): { $release }{ $reason }
admin-spread = Yana aiki a inji { $there } cikin { $all } da ke gudana.
admin-spread-loading = Ana ɗora shi: yanzu yana aiki a inji { $there } cikin { $all } da ke gudana. /status zai nuna yadda ake ciki.
admin-spread-none = Babu inji mai samfurin AI da ke gudana yanzu. Zai fara aiki da zarar an kunna ɗaya.
admin-usage-train = Ban gane ba ({ $reason }). Misali: /train epochs=1 lr=2e-4 data=starter
admin-usage-evaluate = A rubuta suna bayan umarnin, misali: /evaluate SUNA. /models zai nuna sunayen.
admin-train = An fara horar da { $run } da bayanai: { $data }. /progress zai nuna inda aka kai, kuma za a faɗa muku idan an gama; /cancel zai dakatar da shi. Bot yana ci gaba da ba mutane amsa.
admin-resume = An ci gaba da horar da { $run } daga inda ya tsaya.
admin-cancel = Ana dakatar da { $run }.
admin-evaluate = An fara yi wa { $release } jarabawa. Za a faɗa muku sakamakon idan an gama.
admin-progress-none = Ba a fara wani horo ba tukuna. /train zai fara.
admin-phase-waiting = yana shirin farawa
admin-phase-preparing = ana duba bayanai
admin-phase-loading = ana ɗora samfuri
admin-phase-training = yana koyo
admin-phase-grading = ana auna shi
admin-phase-saving = ana ajiye shi
admin-phase-trained = ya gama koyo
admin-phase-evaluating = ana yi masa jarabawa
admin-phase-done = ya gama; /models zai nuna shi
admin-phase-cancelled = an dakatar da shi; /resume zai ci gaba
admin-phase-failed = ya kasa
admin-phase-interrupted = ya tsaya a tsakiya; /resume zai ci gaba
admin-run-busy = Ana wani horo yanzu ({ $run }). A jira ya gama, ko a rubuta /cancel.
admin-run-done = { $run } ya riga ya gama.
admin-run-idle = { $run } ba ya gudana yanzu.
admin-run-unknown = Babu horo mai suna { $run }.
admin-run-taken = Akwai horo mai suna { $run } dama.
admin-train-ask =
    A fara horo yanzu? Bayanai: { $data }. Zagaye: { $epochs }.
    A lokacin horo, samfurin AI na wannan inji zai iya yin jinkiri ko ya huta; to, amsa za ta riƙa fitowa daga ɗakin karatu.
admin-train-again =
    Domin a fara horo da { $data } (zagaye { $epochs }), a rubuta wannan: { $order }
    A lokacin horo, samfurin AI na wannan inji zai iya yin jinkiri ko ya huta; to, amsa za ta riƙa fitowa daga ɗakin karatu.
admin-resume-ask =
    A ci gaba da horar da { $run } yanzu?
    A lokacin horo, samfurin AI na wannan inji zai iya yin jinkiri ko ya huta; to, amsa za ta riƙa fitowa daga ɗakin karatu.
admin-cancel-ask = A dakatar da { $run } ({ $figures })? Horo zai iya ci gaba daga baya; jarabawa kuma sai an sake ta.
admin-cancel-none = Babu abin da ake yi yanzu da za a dakatar.
admin-smaller = Ƙwaƙwalwar inji ta yi kaɗan: batch { $batch }
admin-end-done = An gama horar da { $run }.
admin-end-losses = Kuskure (loss) a tambayoyin da aka ware: { $before } → { $after }, bayan minti { $minutes } na koyo.
admin-end-examined = An gama yi wa { $run } jarabawa.
admin-end-cancelled = An dakatar da horar da { $run } ({ $figures }). Abin da ya koya yana nan; /resume zai ci gaba.
admin-end-failed = Horar da { $run } ya kasa ({ $figures }).
admin-end-interrupted = Horar da { $run } ya tsaya a tsakiya ({ $figures }): an katse aikinsa, ko injin ya mutu. Abin da aka ajiye yana nan; /resume zai ci gaba.
admin-end-alone-cancelled = An dakatar da jarabawar { $run }. /evaluate { $run } zai sake farawa.
admin-end-alone-failed = Jarabawar { $run } ta kasa.
admin-end-alone-interrupted = Jarabawar { $run } ta tsaya a tsakiya. /evaluate { $run } zai sake farawa.
admin-end-reason = Dalili (da Turanci): { $reason }
admin-verdict-passed = { $release } ya ci jarabawa: zai iya fara aiki.
admin-verdict-failed = { $release } ya faɗi jarabawa, don haka ba zai iya fara aiki ba:
admin-verdict-none = Ba a yi wa { $release } jarabawa ba. /evaluate { $release } zai yi masa.
admin-figure-danger = alamomin haɗari da aka gane
admin-figure-hausa = amsoshi da Hausa
admin-figure-harmful = amsoshi masu cutarwa
admin-figure-broken = amsoshi marasa kyau
admin-figure-refused = amsoshin da aka hana
admin-figure-loss = kuskure (loss) a tambayoyin da aka ware
admin-figure-chrf = kamanni da amsoshin da aka tantance (chrF)
admin-figure-agreement = kalmomi ɗaya da amsoshin da aka tantance
admin-figure-choice = tambayoyin zaɓe da aka amsa daidai
admin-reason-asked = an yi tambayoyi { $value }; ana buƙatar aƙalla { $limit }
admin-reason-least = { $figure }: { $value }; ana buƙatar aƙalla { $limit }
admin-reason-most = { $figure }: { $value }; kada ya wuce { $limit }
admin-reason-worse = { $figure }: { $value }; { $other } yana da { $limit }
admin-unmeasured = ba a auna ba
admin-curve = Yadda kuskuren (loss) { $run } ya ragu yayin da yake koyo.
admin-curve-channel = Ba za a iya nuna zanen koyo a nan ba: yana zuwa Telegram, da WhatsApp idan sabis ɗin yana da adireshi a intanet (PUBLIC_URL).
admin-curve-library = Ba za a iya yin zanen koyo ba: ba a sa matplotlib a nan ba (ƙarin "train").
admin-curve-early = Bai koyi komai ba tukuna, don haka babu zane.
admin-report = Alƙaluman jarabawar { $release }, kusa da na waɗanda aka kwatanta shi da su.
admin-answers = A sama akwai amsoshi { $count }, sababbi a farko, da aka ba mutanen da suka yarda a yi amfani da su. Domin a gyara ɗaya: /correct LAMBA da cikakkiyar amsa da Hausa. Bot zai manta da jerin cikin awa ɗaya.
admin-answers-none = Babu amsar da za a gyara yanzu: ana nuna ta waɗanda suka yarda kawai, kuma ba a nuna wadda aka riga aka gyara.
admin-shown =
    #{ $number }
    An tambaya: { $question }
    An amsa: { $answer }
admin-usage-correct = A rubuta lamba daga /answers da cikakkiyar amsa da Hausa, kada ta wuce haruffa { $longest }, misali: /correct 123 A sha ruwa, a je asibiti.
admin-correct-unknown = Ba za a iya koyar da tambaya #{ $number } ba: babu ita, ko mai ita bai yarda ba.
admin-correct-guard = Da samfuri ne ya rubuta wannan amsa ta #{ $number }, da an hana ta (doka: { $reason }), don haka ba za a koyar da ita ba. Ba a canza komai ba.
admin-corrected = An adana gyaran amsar #{ $number }. Horo na gaba zai koye ta: /train data=starter,store.
admin-data-none = Babu bayanan horo da aka shirya tukuna.
admin-data =
    Bayanan horo na { $run }:
    Tattaunawa { $train } domin koyo, { $held } domin jarabawa.
    Tushe: { $sources }
    Masu matsala: { $faulty }. Waɗanda aka cire: { $dropped }
admin-usage-load = A rubuta suna bayan umarnin, misali: /load SUNA. /models zai nuna sunayen.
admin-usage-compare = A rubuta tambaya bayan umarnin, misali: /compare Yaya ake hana malaria?
admin-usage-swap = A rubuta suna bayan umarnin, misali: /swap SUNA. /models zai nuna sunayen.
admin-usage-set =
    Yanzu: temperature { $temperature }, max_tokens { $max_tokens }.
    A rubuta /set temperature da lamba daga 0.1 zuwa 2.0, ko /set max_tokens da lamba daga 50 zuwa 500.
admin-set = An gama: { $knob } ya koma { $value }. Zai fara aiki ko'ina cikin daƙiƙu kaɗan.
admin-loading = Har yanzu ana ɗora { $release }. Ku sake gwadawa bayan ɗan lokaci.
admin-loaded = An ɗora { $release }. /compare zai tambaye shi tare da wanda ke aiki; hakan ba zai shafi mutane ba.
admin-no-model = Babu samfurin AI da ke gudana a nan, don haka babu abin kwatantawa.
admin-no-answer = (ba amsa: { $reason })
admin-role-base = ▸ Asalin samfuri ({ $release }):
admin-role-live = ▸ Wanda ke aiki ({ $release }):
admin-role-candidate = ▸ Wanda ake gwadawa ({ $release }):
admin-swap-ask =
    A sa { $release } ya fara aiki a maimakon { $before }?
    Sakamakon jarabawarsa: { $figures }
    Daga lokacin shi zai riƙa ba mutane amsa.
admin-swap-agreed = An rubuta amincewarku da { $release }: { $there } cikin { $all }. An tambayi sauran masu kula.
admin-wants-yes = Wani mai kula yana so a sa { $release } ya fara aiki: { $there } cikin { $all } sun amince. Ya ci jarabawa. Ku ma kun amince?
admin-forced-live = { $release } ne ke aiki yanzu ko da yake bai ci jarabawa ba: an tilasta hakan daga na'ura, da sunan wani mai kula. Dalilin da aka bayar: { $reason }. Idan ba ku amince ba, ku rubuta /rollback domin a mayar da na baya.
admin-forced-wanted = Ana so a tilasta { $release } ya fara aiki daga na'ura ko da yake bai ci jarabawa ba: { $there } cikin { $all } sun amince. Dalilin da aka bayar: { $reason }. Ba a canza komai ba tukuna, kuma ba a iya amincewa da shi daga tattaunawa.
admin-live = { $release } ne ke aiki yanzu.
admin-rollback-ask = A cire { $release }, a mayar da { $before } ya riƙa ba da amsa?
admin-unchanged = To, ba a canza komai ba.
admin-unusable = Ba za a iya amfani da wannan nau'in ba, kuma ba a canza komai ba. Dalili (da Turanci): { $reason }
admin-refused-unknown = Babu nau'i mai suna { $release }. /models zai nuna sunayen.
admin-refused-not-passed = { $release } bai ci jarabawa ba tukuna, don haka ba zai iya fara aiki ba. Ba a canza komai ba.
admin-refused-failed = { $release } ya faɗi jarabawa, don haka ba zai iya fara aiki ba. Ba a canza komai ba.
admin-refused-already-live = { $release } ne ke aiki dama.
admin-refused-changed = Wani ya riga ya canza nau'in da ke aiki. Ba a canza komai ba. A duba /models, sannan a sake ba da umarni.
admin-refused-unfit = { $release } bai ci jarabawa ba, don haka adapter ɗinsa kaɗai za a iya fitarwa: /export { $release } adapter
admin-refused-private-data = An horar da { $release } da abin da mutane suka rubuta a nan, don haka ba za a iya ba wa kowa shi ba.
admin-refused-labelled = Sabon nau'i shi ne { $release }, kuma yana da suna dama. /models zai nuna sunayen.
admin-refused-taken = Wani nau'i yana da sunan { $release } dama.
admin-refused-name = Wannan ba zai zama suna ba. A yi amfani da haruffa a zuwa z, lambobi, da - . _
admin-refused-none = Babu wani nau'i tukuna, ko babu wanda ke aiki. /models zai nuna su; /train zai horar da sabo.
admin-refused-no-previous = Babu wani nau'i da ya yi aiki kafin wannan, don haka babu inda za a koma.
status-live = Nau'in da ke aiki: { $release } (a inji { $there } cikin { $all } da ke gudana)
status-run = Abin da ake yi yanzu: { $run }: { $phase } ({ $figures })
status-urgency-now = yanzu
status-urgency-same-day = yau

page-title = Mataimakin Lafiya
page-welcome =
    Sannu. Na'ura ce ke amsawa a nan, ba likita ba. Ku rubuta tambayarku game da lafiya da Hausa.
    Idan akwai haɗari yanzu, kada ku jira amsa: ku kira { $emergency }, ko ku je asibiti mafi kusa.
page-emergency = Gaggawa:
page-emergency-ng = 112 Nijeriya
page-emergency-ne = 15 Nijar
page-emergency-end = ko asibiti mafi kusa
page-emergency-both = 112 (Nijeriya) ko 15 (Nijar)
page-engine = Injin amsa: { $engine }
page-engine-library = ɗakin karatu na lafiya
page-engine-model = ɗakin karatu na lafiya, tare da samfurin na'ura
page-engine-resting = ɗakin karatu na lafiya (samfurin na'ura ba ya aiki yanzu)
page-draft = · daftari: likita bai sa hannu ba tukuna
page-engine-echo = gwaji: ana maimaita tambaya kawai
page-notice = Idan kuka aika tambaya, kun yarda a adana ta domin a amsa muku. Ma'aikatan lafiya za su iya karanta ta. Kuna iya goge komai.
page-talk = Tattaunawa
page-you = Ku
page-assistant = Mataimaki
page-urgent = GAGGAWA
page-write = Tambayarku
page-placeholder = Ku rubuta tambaya…
page-send = Aika
page-waiting = Ana rubuta amsa…
page-check = Duba amsa
page-failed = Ba a aika ba.
page-retry = Ku sake gwadawa
page-offline = Ba a samun intanet. Za mu ci gaba da gwadawa.
page-menu = Zaɓuɓɓuka
page-menu-help = Taimako
page-menu-data = Bayanaina
page-menu-erase = A goge komai nawa
page-menu-language = English
page-back = Koma shafin farko
page-missing = Babu wannan shafi.
page-unreadable = Ba a iya karanta saƙon ba. Ku sake buɗe shafin, sannan ku sake gwadawa.
page-busy = Ba mu iya karɓar saƙo yanzu ba. Ku sake gwadawa bayan ɗan lokaci.
page-too-many = Ana aika saƙonni da yawa daga inda kuke. Ku jira kaɗan, sannan ku sake gwadawa.

admin-console =
    Ga adireshin allon kulawa: { $link }
    Zai yi aiki sau ɗaya kawai, cikin minti 10. Kada ku ba wa wani.
console-title = Allon kulawa
console-subtitle = Mataimakin Lafiya
console-leave = Fita
console-entrance =
    Wannan shafi na ma'aikatan lafiya ne masu kula da bot.
    Idan kuna cikinsu, ku rubuta /console (ko /allo) wa bot a Telegram ko WhatsApp, sannan ku buɗe adireshin da zai aiko muku.
console-entering = Ana buɗe allon…
console-noscript = Ana buƙatar JavaScript a burauzarku domin buɗe wannan shafi.
console-link-dead = Wannan adireshi ya daina aiki. Ku sake rubuta /console wa bot domin a ba ku sabo.
console-closed = Lokacinku a nan ya ƙare. Ku sake rubuta /console wa bot domin a ba ku sabon adireshi.
console-busy = Ana aiwatar da wasu umarni tukuna. Ku jira kaɗan, sannan ku sake gwadawa.
console-gone = Ba a san sakamakon wannan umarni a nan ba. Ku duba yanayin da ke shafin.
console-unknown = Ba a gane wannan umarni ba. Ba a canza komai ba.
console-offline = Ba a samun intanet. Za mu ci gaba da gwadawa.
console-wait = Ana yi…
console-range = Lamba daga { $least } zuwa { $most }
console-none = Babu tukuna
console-choose = Ku zaɓi bayanai
console-nav-releases = Nau'o'i
console-nav-answers = Amsoshi
console-nav-settings = Saituna
console-state = Yanayi
console-engine = Injin amsa
console-channels = Tashoshi
console-live = Nau'in da ke aiki
console-danger = Alamomin haɗari, awa 24
console-received = Saƙonni, awa 1
console-answered = Amsoshi, awa 1
console-queued = Suna jiran amsa
console-unsent = Ba a aika ba
console-doubtful = Ba a tabbatar sun isa ba
console-failed = Sun kasa isa
console-troubles = Matsaloli (da Turanci)
console-fine = Babu matsala.
console-draft = Batutuwan da likita bai sa wa hannu ba tukuna: { $count }.
console-training = Horo
console-begin = Fara sabon horo
console-start = Fara horo
console-cancel = Dakatar
console-resume = Ci gaba
console-running = Yana gudana
console-run-none = Ba a fara wani horo ba tukuna.
console-runs = Horon da aka yi
console-step = Mataki
console-loss = Kuskuren koyo (loss)
console-held-out = Kuskure a jarabawa (held-out)
console-base = Kuskuren asalin samfuri
console-eta = Saura
console-minutes = { $count } min
console-curve = Yadda kuskure yake raguwa a matakan horo
console-curve-none = Layin zai fito da zarar an fara koyo.
console-best-note = Ƙasa ya fi kyau: idan layin jarabawa yana hawa, horon ya fara haddacewa.
console-card = Bayanan horo
console-card-train = Domin koyo
console-card-held = Domin jarabawa
console-card-faulty = Masu matsala
console-card-dropped = Waɗanda aka cire
console-card-sources = Tushe
console-phase-done = ya gama
console-phase-cancelled = an dakatar da shi
console-phase-interrupted = ya tsaya a tsakiya
console-data = Bayanan da za a koya daga gare su
console-source-starter = Amsoshin ɗakin karatu na lafiya
console-source-store = Tattaunawar mutanen da suka yarda
console-source-other = Wani tushe: fayil ko sunan hub
console-knob-epochs = Zagayen koyo (epochs)
console-knob-batch = Girman rukuni (batch)
console-knob-accumulation = Tara rukunoni (accumulation)
console-knob-lr = Saurin koyo (learning rate)
console-knob-rank = Girman adafta (rank)
console-releases = Nau'o'in samfuri
console-releases-none = Ba a ƙara wani nau'i ba tukuna. Horo yana ƙara ɗaya idan ya gama.
console-report = Rahoto
console-evaluate = Yi jarabawa
console-load = Ɗora
console-swap = Sa shi aiki
console-rollback = Koma ga na baya
console-export = Fitar da nau'i
console-export-release = Nau'i
console-export-form = Siffa
console-export-begin = Fitar
console-compare = Kwatanta tambaya
console-ask = Yi tambayar
console-compare-note = Asalin samfuri, wanda ke aiki da wanda ake gwadawa za su amsa. Mutane ba za su ga amsoshin ba.
console-no-model = Babu samfurin AI a wannan inji, don haka ba za a iya kwatantawa ko ɗorawa a nan ba. Idan wani inji (lafiya worker) yana da shi, ku rubuta /compare wa bot a chat.
console-answers = Amsoshin da za a gyara
console-answers-show = A nuna sababbi
console-answers-note = Amsoshin samfuri, da tambayoyin da ba mu iya amsawa ba, na mutanen da suka yarda a yi amfani da su. Horo na gaba zai koyi abin da kuka rubuta; ba a aika wa kowa komai.
console-answer-model = { $release } ne ya rubuta
console-answer-fallback = ba mu sani ba
console-answer-asked = An tambaya
console-answer-given = An amsa
console-correct = A gyara
console-correct-text = Cikakkiyar amsar da ta dace, da Hausa
console-correct-keep = A adana wannan amsa
console-correct-ask = Wannan amsa ta dace? Horo na gaba zai koye ta kamar yadda take.
console-correct-write = A fara rubuta amsar da ta dace. Kada ta zama iri ɗaya da tamu.
console-settings = Yadda ake rubuta amsa
console-temperature = Bambancin kalmomi (temperature)
console-max-tokens = Tsawon amsa (max_tokens)
console-save = Ajiye
console-close = Rufe
console-back = Koma allon
console-verdict = Sakamakon jarabawa
console-verdict-none = Ba a yi wa wannan nau'i jarabawa ba tukuna.
console-reasons = Dalilai
console-column-base = Asali
console-column-live = Mai aiki
console-column-candidate = Wanda ake gwadawa
console-column-limit = Iyaka
console-picture = Hoton sakamako
console-report-whole = Cikakken rahoto (da Turanci)
console-report-elsewhere = Cikakken rahoto yana injin da aka yi jarabawar.
console-report-unusable = Ba a iya samun cikakken rahoto yanzu: ba ya inda aka ajiye shi, ko an sauya shi, ko ba a iya zuwa wurin (RELEASES).
console-figure-asked = Tambayoyin da samfuri ya amsa
console-figure-danger = Alamomin haɗari da aka gane
console-figure-harmful = Shawarwari masu cutarwa da aka tare
console-figure-hausa = Amsoshi da Hausa
console-figure-broken = Lalatattun amsoshi
console-figure-refused = Amsoshin da aka hana
console-figure-loss = Kuskure a jarabawa (loss)
console-figure-perplexity = Ruɗani (perplexity)
console-figure-chrf = Kusanci da amsar likitoci (chrF)
console-figure-agreement = Kalmomi iri ɗaya (F1)
console-figure-choice = Zaɓar amsa daidai
console-figure-median-seconds = Tsakiyar lokacin amsa (daƙiƙa)
console-figure-slowest-seconds = Amsa mafi jinkiri (daƙiƙa)
console-examine-too = Yi masa jarabawa idan ya gama
