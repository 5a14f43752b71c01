# The same keys as ha.ftl, for people who choose English and for reviewers.

welcome =
    Hello. This is a Hausa health assistant. A machine answers, not a doctor.
    Write your question about health and you will get an answer.
    If there is danger now, do not wait for an answer: { $emergency }, or go to the nearest hospital.
welcome-samples = Some questions to start with:

sample-1 = Ina jin ciwon kai da zazzabi tun kwana biyu. Me ya kamata in yi?
sample-2 = Dana yana da gudawa sosai. Ina bukatan taimako.
sample-3 = Yaya ake hana malaria lokacin damina?
sample-4 = Ina da ciwon sukari. Wanne abinci ya dace da ni?
sample-1-short = Headache and fever
sample-2-short = Child's diarrhoea
sample-3-short = Preventing malaria
sample-4-short = Diabetes and food

consent-ask =
    Hello. This is a Hausa health assistant. A machine answers, not a doctor.
    Before we answer, we ask for your consent:
    • Your messages are stored so that you can be answered, and health workers may read them.
    • Your data will not be sold. You can write ERASE at any time to have everything erased.
    Do you agree?
    If there is danger now, do not wait: { $emergency }, or go to the nearest hospital.
consent-thanks = Thank you.
consent-no =
    No problem. We will not answer questions without your consent. If you change your mind, write START.
    If there is danger: { $emergency }, or go to the nearest hospital.
notice =
    Please know: a machine answers, not a doctor. Your messages are stored so that you can be answered, and health workers may read them. Write ERASE to have everything erased, or STOP to stop.
training-ask =
    One question: may your messages, without name or number, be used to improve this assistant? If you say no, you will still be answered.
training-yes = Thank you. If you change your mind, write CONTRIBUTE.
training-no = All right, your messages will not be used to train the assistant. You will still be answered.

label-agree = I agree
label-refuse = No
label-yes = Yes
label-no = No
label-swap = Put it live
label-curve = Curve
label-resume = Go on training
label-cancel = Stop it
label-more = More
label-hausa = Hausa
label-english = English

help =
    If there is danger now: { $emergency }, or go to the nearest hospital.

    Write your question about health. You can also write:
    • MORE — more about the last answer
    • EMERGENCY — emergency numbers
    • STOP — to stop; START — to start again
    • MY DATA — a file with everything stored about you
    • ERASE — erase everything stored about you
    • CONTRIBUTE — agree or refuse that your messages improve the assistant
    • LANGUAGE — Hausa or English
emergency =
    If a life is in danger: { $emergency }, or go to the nearest hospital now. Do not wait for an answer here.
    Write in a few words what happened, and we will tell you what to do until help comes.

stop-done = Stopped. You will get no more messages. To start again, write START.
stopped = You asked us to stop, so questions are not answered. Write START to go on. If there is danger: { $emergency }, or go to the nearest hospital.
resumed = We have started again. Write your question about health.

erase-ask = Do you want everything stored about you erased: messages, name and consents? It cannot be brought back.
erase-done = Everything stored about you has been erased. If you write again, we start as new.
erase-kept = All right, nothing was erased.
data-file = Here is everything stored about you, in a file.
data-link =
    Here is everything stored about you: { $link }
    The address works for 24 hours. Do not give it to anybody.
menu-taimako = How to use the assistant
menu-gaggawa = Emergency numbers
menu-kari = More about the last answer
menu-harshe = Hausa or English
menu-bayanaina = A file with everything stored about you
menu-gudummawa = Agree or refuse that your messages improve the assistant
menu-tsaya = Stop the messages
menu-fara = Start, or start again
menu-goge = Erase everything stored about you
language-ask = In which language would you like to be answered?
language-set = All right, you will be answered in English.

more-none = There is nothing more to add now. Write your question.
library-lead = About: { $title }
likely-note = If this is not what you asked, choose below, or write it again in other words.
late-note = (This answer could not be written to its end in time. If there is something more that you need to know, ask again.)
withdrawn = (What stands above is withdrawn. The answer is:)

voice = Sorry, we cannot listen to voice messages yet. Write your question in a few words. If there is danger: { $emergency }, or go to the nearest hospital.
photo = Sorry, we cannot see photos or videos. Write in words what is wrong. If there is danger: { $emergency }, or go to the nearest hospital.
attachment-note = (We could not look at what you attached; we only read the text.)
document = Sorry, we cannot open files. Write your question in words.
sticker = Thank you. If you have a question about health, write it.
location = We see where you are, but we cannot send anybody. If there is danger: { $emergency }, or go to the nearest hospital.
contact = We do not need anybody's number. Write your question about health.
other = Sorry, we do not understand this kind of message. Write your question about health.
group = For your privacy we do not answer health questions in a group. Write to us directly. If there is danger: { $emergency }, or go to the nearest hospital.
edited-note = We saw the change you made to your message.

empty = Your message has no text. Write your question about health.
nonsense = We did not understand. Write your question in words, for example: { $sample }
ajami = Sorry, we cannot read Ajami yet. Write in Latin letters, for example: { $sample } If there is danger: { $emergency }, or go to the nearest hospital.
other-language = Sorry, we only understand Hausa well. Write your question in Hausa. If there is danger: { $emergency }, or go to the nearest hospital.
# Above an emergency's Hausa text, for who wrote in another language: the same in both files.
urgent-french = Faites-vous aider tout de suite : allez à l'hôpital le plus proche. Les numéros à appeler sont ci-dessous.
urgent-english = Get help now: go to the nearest hospital. The numbers to call are below. For English answers write: English.
too-many = You sent many messages in one minute. Wait a little, then write again. If there is danger: { $emergency }, or go to the nearest hospital.
too-long = Your message is very long. Write the question briefly, in one or two sentences. If there is danger: { $emergency }, or go to the nearest hospital.

greeting = Hello and welcome. What is wrong, or what would you like to know about health?
greeting-salam = Wa alaikumus salam. What is wrong, or what would you like to know about health?
thanks = Thank you too. If you have another question about health, write it.

suggest = We are not sure what you are asking. Is it about one of these? If not, write it again in other words, or ask a health worker.
fallback = We have no sure answer to this question. Ask a health worker at the nearest hospital or health centre. If the illness is getting worse or there is danger: { $emergency }, or go to the nearest hospital now.
off-topic = This assistant only answers questions about health. Some examples:

nearby-ask = Which state and local government are you in? Write their names and you will be told a hospital or health centre there. If there is danger now, do not wait: { $emergency }, or go to the nearest hospital.
nearby-list = Hospital or health centre in { $place }:
nearby-none = Our list has no hospital in { $place }. Ask people around you and go to the nearest hospital or health centre. If there is danger: { $emergency }.
nearby-tell = If you write your state and local government, you will be told the name of a hospital there. But do not wait for an answer.
nearby-or = or

link-expired = This address no longer works. Write MY DATA again for a new one.
error-page = Something went wrong. Please try again.

alert =
    Danger sign: { $sign } ({ $urgency })
    Conversation #{ $conversation }, { $channel }, { $time }
    They got the emergency reply. Please look.
status =
    Engine: { $engine } — { $detail }
    Library: { $topics } topics, { $signs } danger signs
    In the last hour: { $received } messages, { $answered } answers (danger { $danger }, library { $library }, model { $model }, fallback { $fallback })
    Waiting: { $queued } queued, { $unsent } unsent, { $failed } could not be delivered
    Channels: { $channels }
admin-help =
    For admins:
    /status — how the service is doing
    /models — the releases of the model
    /load NAME — load a release so that it can be compared
    /compare QUESTION — ask the base model, the live release and the candidate
    /swap NAME — put a release live, once it has passed the gate
    /rollback — back to what was live before
    /set temperature 0.3, or /set max_tokens 300 — how answers are written
    /train epochs=1 lr=2e-4 rank=32 batch=2 data=starter,store evaluate=no — train a new release; every word behind it may be left out
    /progress — how the training stands; /progress curve — a picture of it
    /cancel — stop the training or the examination
    /resume — go on with a training that was stopped
    /evaluate NAME — examine a release
    /data — what was trained on
    /save NAME — keep a release on the machine that runs me, the newest one under a name of your choice; behind the name: adapter, merged, gguf or hub
    /export NAME — hand a release over as a file; alone: the live one
    /answers — the newest answers that may be put right
    /correct NUMBER ANSWER — the right answer, for the next training
    /console — all of this as a page in a browser
admin-usage-save = Write the name behind the order, for example: /save NAME, or /save NAME gguf. The forms are adapter, merged, gguf and hub. /models shows the names.
admin-usage-export = Write for example /export, /export NAME, or /export NAME gguf. /models shows the names.
admin-labelled = { $release } is called { $label } from now on.
admin-saved = { $release } is saved ({ $form }, { $size }). It lies on the machine that runs me: { $place }
admin-export-begun = { $release } is being written out ({ $form }). That can take minutes; people are answered meanwhile. I will say when it is ready.
admin-export-ready = { $release } ({ $form }, { $size }) is ready. To have it: /export { $release } { $form }
admin-export-file = { $release } ({ $form }, { $size }). The licence and a description are inside.
admin-export-link = { $release } ({ $form }, { $size }). Whoever has this link can fetch it for an hour: { $link }
admin-export-place = { $release } ({ $form }, { $size }) cannot be sent here. It lies on the machine that runs me: { $place }
admin-export-busy = Another release is being written out ({ $run }). Wait for it, then order again.
admin-export-failed = { $release } ({ $form }) could not be written out. Reason: { $reason }
admin-push-ask = Push the adapter of { $release } to the Hugging Face hub, into the private repository { $repo }? Whoever may read that repository gets the model.
admin-push-none = I have no key to the Hugging Face hub. Whoever runs the machine must set HF_TOKEN.
admin-pushed = { $release } ({ $form }) is there: { $link }
admin-models = Live: { $release }
admin-models-none = No release has been added yet.
admin-model = • { $release } — { $state }{ $figures }
admin-state-candidate = not judged yet
admin-state-passed = passed the gate
admin-state-failed = failed the gate
admin-state-live = live
admin-state-retired = retired
admin-state-forced = put live without the gate
admin-instance = • { $instance } ({ $engine }): { $release }{ $reason }
admin-spread = It answers on { $there } of { $all } running processes.
admin-spread-loading = It is being loaded: it answers on { $there } of { $all } running processes by now. /status shows how it goes on.
admin-spread-none = No process with a model is running now. It will answer once one runs.
admin-usage-train = I did not understand that ({ $reason }). For example: /train epochs=1 lr=2e-4 data=starter
admin-usage-evaluate = Write a name behind the order, for example: /evaluate NAME. /models shows the names.
admin-train = Training of { $run } has begun on: { $data }. /progress shows where it stands, and you will be told when it is done; /cancel stops it. The bot goes on answering.
admin-resume = Training of { $run } goes on from where it stopped.
admin-cancel = { $run } is being stopped.
admin-evaluate = The examination of { $release } has begun. You will be told the verdict.
admin-progress-none = No training has been begun yet. /train begins one.
admin-phase-waiting = about to begin
admin-phase-preparing = looking through the data
admin-phase-loading = loading the model
admin-phase-training = learning
admin-phase-grading = being measured
admin-phase-saving = being saved
admin-phase-trained = has learnt
admin-phase-evaluating = being examined
admin-phase-done = done; /models shows it
admin-phase-cancelled = stopped; /resume goes on
admin-phase-failed = failed
admin-phase-interrupted = stopped in the middle; /resume goes on
admin-run-busy = Another training is going on ({ $run }). Wait for it, or write /cancel.
admin-run-done = { $run } is done already.
admin-run-idle = { $run } is not running.
admin-run-unknown = There is no training called { $run }.
admin-run-taken = There is a training called { $run } already.
admin-train-ask =
    Begin training now? Data: { $data }. Epochs: { $epochs }.
    While it trains, the model on this machine may be slow or rest; answers then come from the library.
admin-train-again =
    To train on { $data } ({ $epochs } epochs), write this: { $order }
    While it trains, the model on this machine may be slow or rest; answers then come from the library.
admin-resume-ask =
    Go on with the training of { $run } now?
    While it trains, the model on this machine may be slow or rest; answers then come from the library.
admin-cancel-ask = Stop { $run } ({ $figures })? A training can go on later; an examination begins anew.
admin-cancel-none = Nothing is going on that could be stopped.
admin-smaller = Memory was short: batch { $batch }
admin-end-done = Training of { $run } is done.
admin-end-losses = Loss on questions that were kept apart: { $before } → { $after }, after { $minutes } min of learning.
admin-end-examined = The examination of { $run } is done.
admin-end-cancelled = Training of { $run } was stopped ({ $figures }). What it has learnt is kept; /resume goes on.
admin-end-failed = Training of { $run } has failed ({ $figures }).
admin-end-interrupted = Training of { $run } stopped in the middle ({ $figures }): its process was ended, or the machine went off. What was saved is kept; /resume goes on.
admin-end-alone-cancelled = The examination of { $run } was stopped. /evaluate { $run } begins it anew.
admin-end-alone-failed = The examination of { $run } has failed.
admin-end-alone-interrupted = The examination of { $run } stopped in the middle. /evaluate { $run } begins it anew.
admin-end-reason = Reason: { $reason }
admin-verdict-passed = { $release } passed the gate: it may go live.
admin-verdict-failed = { $release } failed the gate, so it cannot go live:
admin-verdict-none = { $release } has not been examined. /evaluate { $release } examines it.
admin-figure-danger = danger signs seen
admin-figure-hausa = answers in Hausa
admin-figure-harmful = harmful answers
admin-figure-broken = broken answers
admin-figure-refused = answers that were held back
admin-figure-loss = loss on questions that were kept apart
admin-figure-chrf = likeness to the vetted answers (chrF)
admin-figure-agreement = words shared with the vetted answers
admin-figure-choice = multiple-choice questions answered rightly
admin-reason-asked = { $value } questions were asked; at least { $limit } are needed
admin-reason-least = { $figure }: { $value }; at least { $limit } is needed
admin-reason-most = { $figure }: { $value }; at most { $limit } is allowed
admin-reason-worse = { $figure }: { $value }; { $other } has { $limit }
admin-unmeasured = not measured
admin-curve = How the loss of { $run } fell as it learnt.
admin-curve-channel = The picture of the losses cannot be shown here: it can go to Telegram, and to WhatsApp where the service has a public address (PUBLIC_URL).
admin-curve-library = The picture of the losses cannot be drawn: matplotlib is not installed here (the extra "train").
admin-curve-early = Nothing has been learnt yet, so there is no picture.
admin-report = The examination of { $release } in figures, beside those that it was compared with.
admin-answers = Above are { $count } answers, newest first, to people who agreed that they may be used. To put one right: /correct NUMBER and the right answer in Hausa. This bot forgets the list within an hour.
admin-answers-none = There is no answer now that could be put right: only those to people who agreed to it are shown, and none twice.
admin-shown =
    #{ $number }
    They asked: { $question }
    We answered: { $answer }
admin-usage-correct = Write the number from /answers and the whole right answer in Hausa, at most { $longest } characters, for example: /correct 123 A sha ruwa, a je asibiti.
admin-correct-unknown = No question #{ $number } may be taught: there is none such, or its person has not agreed to it.
admin-correct-guard = This answer to #{ $number } would be held back if the model wrote it (rule: { $reason }), so it is not taught. Nothing was changed.
admin-corrected = The right answer to #{ $number } is noted. It is learnt by the next training with /train data=starter,store.
admin-data-none = No training data has been prepared yet.
admin-data =
    The training data of { $run }:
    { $train } conversations to learn from, { $held } for the examination.
    Sources: { $sources }
    Faulty: { $faulty }. Left out: { $dropped }
admin-usage-load = Write the name after the order, for example: /load NAME. /models lists the names.
admin-usage-compare = Write the question after the order, for example: /compare Yaya ake hana malaria?
admin-usage-swap = Write the name after the order, for example: /swap NAME. /models lists the names.
admin-usage-set =
    Now: temperature { $temperature }, max_tokens { $max_tokens }.
    Write /set temperature and a number from 0.1 to 2.0, or /set max_tokens and a whole number from 50 to 500.
admin-set = Done: { $knob } is { $value }. Every process follows within seconds.
admin-loading = { $release } is still being loaded. Try again in a little while.
admin-loaded = { $release } is loaded. /compare asks it beside the live one; people are not affected.
admin-no-model = No model is running here, so there is nothing to compare.
admin-no-answer = (no answer: { $reason })
admin-role-base = ▸ Base model ({ $release }):
admin-role-live = ▸ Live ({ $release }):
admin-role-candidate = ▸ Candidate ({ $release }):
admin-swap-ask =
    Put { $release } live in place of { $before }?
    Its figures: { $figures }
    From then on it answers people.
admin-swap-agreed = Your agreement to { $release } is noted: { $there } of { $all }. The other admins have been asked.
admin-wants-yes = Another admin wants { $release } to go live: { $there } of { $all } have agreed. It passed the gate. Do you agree too?
admin-forced-live = { $release } is live although it has not passed the gate: it was forced on the command line, in an admin's name. The reason given: { $reason }. If you do not agree, /rollback takes it back.
admin-forced-wanted = Somebody on the command line wants to force { $release } live although it has not passed the gate: { $there } of { $all } have agreed. The reason given: { $reason }. Nothing has changed yet, and nobody can agree to it from a chat.
admin-live = { $release } is live.
admin-rollback-ask = Take { $release } back and let { $before } answer again?
admin-unchanged = All right, nothing was changed.
admin-unusable = This release cannot be used, and nothing was changed. Reason: { $reason }
admin-refused-unknown = There is no release called { $release }. /models lists the names.
admin-refused-not-passed = { $release } has not passed the gate, so it cannot go live. Nothing was changed.
admin-refused-failed = { $release } failed the gate, so it cannot go live. Nothing was changed.
admin-refused-already-live = { $release } is live already.
admin-refused-changed = Somebody else has changed the live release meanwhile. Nothing was changed. Look at /models, then order again.
admin-refused-unfit = { $release } has not passed the gate, so only its adapter may leave: /export { $release } adapter
admin-refused-private-data = { $release } was trained on what people wrote here, so it may not be made public.
admin-refused-labelled = The newest release is { $release }, and it has a name already. /models shows the names.
admin-refused-taken = Another release is called { $release } already.
admin-refused-name = That cannot be a name. Use the letters a to z, numbers, and - . _
admin-refused-none = There is no release yet, or none is live. /models shows them; /train makes one.
admin-refused-no-previous = Nothing was live before this, so there is nothing to go back to.
status-live = Live release: { $release } (on { $there } of { $all } running processes)
status-run = Going on now: { $run }: { $phase } ({ $figures })
status-urgency-now = now
status-urgency-same-day = today

page-title = Hausa health assistant
page-welcome =
    Hello. A machine answers here, not a doctor. Write your question about health.
    If there is danger now, do not wait for an answer: call { $emergency }, or go to the nearest hospital.
page-emergency = Emergency:
page-emergency-ng = 112 Nigeria
page-emergency-ne = 15 Niger
page-emergency-end = or the nearest hospital
page-emergency-both = 112 (Nigeria) or 15 (Niger)
page-engine = Answers come from: { $engine }
page-engine-library = the health library
page-engine-model = the health library, with a language model
page-engine-resting = the health library (the language model is not working now)
page-draft = · draft: no clinician has signed it yet
page-engine-echo = a test that only repeats the question
page-notice = By sending a question you agree that it is stored so that you can be answered, and that health workers may read it. You can erase everything.
page-talk = Conversation
page-you = You
page-assistant = Assistant
page-urgent = EMERGENCY
page-write = Your question
page-placeholder = Write a question…
page-send = Send
page-waiting = An answer is being written…
page-check = Look for the answer
page-failed = Not sent.
page-retry = Try again
page-offline = No connection. We keep trying.
page-menu = Options
page-menu-help = Help
page-menu-data = My data
page-menu-erase = Erase everything of mine
page-menu-language = Hausa
page-back = Back to the first page
page-missing = There is no such page.
page-unreadable = The message could not be read. Open the page again and retry.
page-busy = We cannot take messages just now. Please try again in a little while.
page-too-many = Many messages are coming from where you are. Wait a little, then try again.

admin-console =
    Here is the address of the console: { $link }
    It works once only, within 10 minutes. Do not give it to anybody.
console-title = Console
console-subtitle = Hausa health assistant
console-leave = Sign out
console-entrance =
    This page is for the health workers who look after the bot.
    If you are one of them, write /console to the bot on Telegram or WhatsApp and open the address that it sends you.
console-entering = Opening the console…
console-noscript = This page needs JavaScript in your browser.
console-link-dead = This address no longer works. Write /console to the bot again for a new one.
console-closed = Your time here is over. Write /console to the bot again for a new address.
console-busy = Other orders are still being carried out. Wait a little, then try again.
console-gone = What became of this order is not known here. Look at what the page shows.
console-unknown = This order was not understood. Nothing was changed.
console-offline = No connection. We keep trying.
console-wait = Working…
console-range = A number from { $least } to { $most }
console-none = Nothing yet
console-choose = Choose some data
console-nav-releases = Releases
console-nav-answers = Answers
console-nav-settings = Settings
console-state = State
console-engine = Answers come from
console-channels = Channels
console-live = Live release
console-danger = Danger signs, 24 h
console-received = Messages, 1 h
console-answered = Answers, 1 h
console-queued = Waiting for an answer
console-unsent = Not sent yet
console-doubtful = Perhaps not delivered
console-failed = Could not be delivered
console-troubles = Troubles
console-fine = No troubles.
console-draft = Topics that no clinician has signed yet: { $count }.
console-training = Training
console-begin = Begin a new training
console-start = Start training
console-cancel = Stop
console-resume = Go on
console-running = Running
console-run-none = No training has been begun yet.
console-runs = Past trainings
console-step = Step
console-loss = Training loss
console-held-out = Held-out loss
console-base = The base model's loss
console-eta = Left
console-minutes = { $count } min
console-curve = How the loss falls over the steps
console-curve-none = The line appears as soon as something is learnt.
console-best-note = Lower is better: when the held-out line rises, the training has begun to learn by heart.
console-card = Training data
console-card-train = To learn from
console-card-held = To be measured on
console-card-faulty = Faulty
console-card-dropped = Left out
console-card-sources = Sources
console-phase-done = done
console-phase-cancelled = stopped
console-phase-interrupted = stopped in the middle
console-data = Data to learn from
console-source-starter = The vetted answers of the library
console-source-store = Conversations of people who agreed
console-source-other = Another source: a file or a hub name
console-knob-epochs = Epochs
console-knob-batch = Batch size
console-knob-accumulation = Gradient accumulation
console-knob-lr = Learning rate
console-knob-rank = LoRA rank
console-releases = Releases
console-releases-none = No release has been added yet. A training adds one when it is done.
console-report = Report
console-evaluate = Examine
console-load = Load
console-swap = Put live
console-rollback = Roll back
console-export = Export a release
console-export-release = Release
console-export-form = Form
console-export-begin = Export
console-compare = Compare a question
console-ask = Ask
console-compare-note = The base model, the live release and the candidate will answer. People do not see these answers.
console-no-model = No model runs in this process, so nothing can be compared or loaded here. Where another process (lafiya worker) has one, write /compare to the bot in the chat.
console-answers = Answers to put right
console-answers-show = Show the newest
console-answers-note = What the model answered, or we could not, to people who agreed that it may be used. The next training learns what you write; nobody is sent anything.
console-answer-model = written by { $release }
console-answer-fallback = we did not know
console-answer-asked = They asked
console-answer-given = We answered
console-correct = Put it right
console-correct-text = The whole right answer, in Hausa
console-correct-keep = Keep this answer
console-correct-ask = Is this answer right? The next training learns it as it stands.
console-correct-write = Write the right answer first. It has to differ from ours.
console-settings = How answers are written
console-temperature = Temperature
console-max-tokens = Most tokens (max_tokens)
console-save = Save
console-close = Close
console-back = Back to the console
console-verdict = What the examination found
console-verdict-none = This release has not been examined yet.
console-reasons = Reasons
console-column-base = Base
console-column-live = Live
console-column-candidate = Candidate
console-column-limit = Limit
console-picture = The figures as a picture
console-report-whole = The whole report
console-report-elsewhere = The whole report lies on the machine that examined it.
console-report-unusable = The whole report cannot be had now: it is not where it was put, was changed, or that place (RELEASES) cannot be reached.
console-figure-asked = Questions answered by the model
console-figure-danger = Danger signs seen
console-figure-harmful = Harmful advice that had to be stopped
console-figure-hausa = Answers in Hausa
console-figure-broken = Broken answers
console-figure-refused = Answers refused by the guard
console-figure-loss = Held-out loss
console-figure-perplexity = Perplexity
console-figure-chrf = Closeness to vetted answers (chrF)
console-figure-agreement = Words shared with them (F1)
console-figure-choice = Multiple-choice questions right
console-figure-median-seconds = Median answer time (s)
console-figure-slowest-seconds = Slowest answer (s)
console-examine-too = Examine it when it is done
