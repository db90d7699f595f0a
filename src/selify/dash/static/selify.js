// What a page does beyond htmx: says whether it is live, keeps times current, opens what is peeked
// at. Everything else works without this file.
"use strict";

// What this file says, in the language of the page.
const SAY = JSON.parse(document.querySelector("meta[name=words]").content);

// --- Live or not ---------------------------------------------------------------------------------

const liveness = document.getElementById("liveness");

function sayLive(live) {
  liveness.classList.toggle("on", live);
  const words = liveness.querySelector("[data-words]");
  const text = live ? SAY.live : SAY.reconnecting;
  if (words.textContent !== text) words.textContent = text;
}

let source = null;

htmx.createEventSource = (url) => {
  source = new EventSource(url);
  return source;
};

function checkLive() {
  sayLive(navigator.onLine && source?.readyState === EventSource.OPEN);
}

for (const name of ["htmx:sseOpen", "htmx:sseError", "htmx:sseClose", "htmx:sendError"]) {
  document.addEventListener(name, checkLive);
}
for (const name of ["online", "offline"]) window.addEventListener(name, checkLive);

// A line that is refused is no line that broke: who is signed out, was removed or has no brand any more is
// told so, once, by the part that asks on behalf of them all.
let askedWhy = false;

document.addEventListener("htmx:sseError", () => {
  if (askedWhy || source?.readyState !== EventSource.CLOSED) return;
  askedWhy = true;
  htmx.trigger("#banner", "look-again");
});
setInterval(checkLive, 3000);

// --- Parts that are drawn again ------------------------------------------------------------------

// What each part was last drawn from. Drawing the same again would only take away the focus.
const drawn = new WeakMap();

function normalised(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.innerHTML.trim();
}

function rememberNew() {
  for (const part of document.querySelectorAll("[data-live]")) {
    if (!drawn.has(part)) drawn.set(part, part.innerHTML.trim());
  }
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!part.matches?.("[data-live]") || event.detail.xhr.status >= 400) return;
  if (event.detail.requestConfig.verb !== "get") {
    drawn.delete(part);
    return;
  }
  if (isInUse(part)) {
    late.add(part);
    event.detail.shouldSwap = false;
    return;
  }
  if (heldSince(event.detail.requestConfig)) {
    event.detail.shouldSwap = false;
    htmx.trigger(part, "look-again");
    return;
  }
  const fresh = normalised(event.detail.serverResponse);
  if (drawn.get(part) === fresh) event.detail.shouldSwap = false;
  drawn.set(part, fresh);
  readAt = part.querySelector(".talk")?.scrollTop ?? 0;
});

// A part in which somebody has a form open or types is drawn again when they are done.
const late = new Set();

function isInUse(part) {
  const typing = document.activeElement?.matches("input, select, textarea");
  return Boolean(part.querySelector("details[open]") || (typing && part.contains(document.activeElement)));
}

function catchUp() {
  for (const part of late) {
    if (part.isConnected && isInUse(part)) continue;
    late.delete(part);
    if (part.isConnected) htmx.trigger(part, "look-again");
  }
}

document.addEventListener("toggle", catchUp, true);
document.addEventListener("focusout", () => setTimeout(catchUp));

// The first page follows the latest conversation, but takes none away from under somebody's hand:
// while the pointer or the focus is in it, it stays, and says who else wrote.
function heldConversation() {
  const thread = document.getElementById("thread");
  const hand = thread.matches(":hover") || thread.contains(document.activeElement);
  const chosen = thread.getAttribute("hx-get").includes("conversation=");
  return hand && !chosen ? thread.querySelector("[data-conversation]")?.dataset.conversation : undefined;
}

const followsLatest = (elt) => elt.id === "thread" || elt.id === "conversations";

// Whoever put their hand on it while the answer was on its way has not been asked about.
function heldSince({ elt, parameters }) {
  const held = followsLatest(elt) && heldConversation();
  return Boolean(held) && parameters.held !== held;
}

document.addEventListener("htmx:configRequest", ({ detail: { elt, parameters } }) => {
  const held = followsLatest(elt) && heldConversation();
  if (held) parameters.held = held;
});

// Who reads further up in a conversation stays there. (0 is the newest message, up is negative.)
let readAt = 0;

document.addEventListener("htmx:afterSwap", (event) => {
  const talk = event.detail.target.querySelector?.(".talk");
  if (talk && readAt < -40) talk.scrollTop = readAt;
  readAt = 0;
});

// A search that was typed into before htmx heard its keys would wait for the next one.
document.addEventListener("htmx:load", ({ target }) => {
  for (const field of target.querySelectorAll?.("input[type=search]") ?? []) {
    if (field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

// On a phone there is one pane at a time: who opens a conversation is in it, and who goes back is at its
// line in the list.
const narrow = matchMedia("(max-width: 760px)");

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const { elt } = detail.requestConfig ?? {};
  if (!narrow.matches || !elt) return;
  if (elt.matches(".people a")) document.getElementById("thread-title")?.focus({ preventScroll: true });
  if (elt.matches("a.back")) document.getElementById(elt.dataset.thenFocus)?.focus();
});

// A hidden page asks for nothing; shown again, it looks at everything.
let missed = false;

document.addEventListener("htmx:beforeRequest", (event) => {
  const kind = event.detail.requestConfig.triggeringEvent?.type ?? "";
  if (document.hidden && kind.startsWith("sse:")) {
    missed = true;
    event.preventDefault();
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden || !missed) return;
  missed = false;
  for (const part of document.querySelectorAll("[data-live]")) htmx.trigger(part, "look-again");
});

// --- Times in the reader's own words -------------------------------------------------------------

const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const { lang } = document.documentElement;
const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
const FORMATS = {
  clock: new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  day: new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" }),
  when: new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
  date: new Intl.DateTimeFormat(lang, { day: "numeric", month: "long", year: "numeric" }),
};

function fromNow(when) {
  const seconds = (when - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 0 ? SAY.soon : SAY.now;
}

function showTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-show]")) {
    const when = new Date(element.dateTime);
    const format = FORMATS[element.dataset.show];
    const text = format ? format.format(when) : fromNow(when);
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(() => showTimes(), 30000);

// --- Peeking, messages, menus --------------------------------------------------------------------

const peek = document.getElementById("peek");

// It opens only when it is settled: what is pressed in it before that, htmx does not hear.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target?.id === "peek-body" && !peek.open) peek.showModal();
  rememberNew(); // before the times in it are put into other words
  showTimes();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
  if (event.target === peek) peek.close(); // its backdrop
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// --- Choosing on top of a page ---------------------------------------------------------------------

// What was chosen there is done: the page beneath shows it, and has the focus where it was.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, successful, requestConfig } = event.detail;
  if (!successful || requestConfig.verb === "get" || !peek.contains(elt)) return;
  peek.close();
  document.getElementById(elt.dataset.thenFocus)?.focus();
});

// A page beneath cannot be reached meanwhile: what went wrong is said on top of it.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "toasts" || !peek.open) return;
  peek.querySelector(".toast")?.remove();
  document.getElementById("peek-body").prepend(event.detail.target.lastElementChild);
});

// --- Toasts --------------------------------------------------------------------------------------

// They leave by themselves, and stay while somebody points at them, is in them by keyboard, or looks
// at another tab. A refusal or a doubt stays longer: it takes longer to read.
const toasts = document.getElementById("toasts");
const READ_WITHIN = 7000;
const REFUSAL_READ_WITHIN = 20000;

function leaveLater(toast) {
  const within = toast.matches(".bad, .fair") ? REFUSAL_READ_WITHIN : READ_WITHIN;
  let timer;
  const held = () => document.hidden || toast.matches(":hover") || toast.contains(document.activeElement);
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (held() ? wait() : toast.remove()), within);
  };
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, wait);
  wait();
}

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node.matches?.(".toast")) leaveLater(node);
  }
}).observe(toasts, { childList: true });

// As the page itself says things.
const blankToast = document.getElementById("blank-toast");

function complain(words) {
  const same = [...toasts.querySelectorAll(".toast.bad > span")].find((span) => span.textContent === words);
  same?.parentElement.remove(); // said once more, not twice
  const toast = blankToast.content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = words;
  toasts.append(toast);
}

// --- Nobody answers ------------------------------------------------------------------------------

// What a part of the page fetches by itself fails in silence: it says “Reconnecting…” above.
const byHand = (detail) => ["click", "submit"].includes(detail.requestConfig?.triggeringEvent?.type);

function sayNobodyAnswers({ detail }) {
  if (!byHand(detail)) return;
  complain(!navigator.onLine ? SAY.offline : detail.requestConfig.verb === "get" ? SAY.away : SAY.noAnswer);
}

for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, sayNobodyAnswers);

// A picture takes its time on a slow line.
const UPLOAD_WITHIN = 5 * 60 * 1000;

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt.matches("form[enctype='multipart/form-data']")) detail.timeout = UPLOAD_WITHIN;
});

// An error that is not ours (a proxy's page) says nothing to anybody, and replaces nothing here.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { xhr } = detail;
  if (xhr.status < 400 || xhr.getResponseHeader("HX-Retarget") || xhr.getResponseHeader("HX-Reswap")) return;
  detail.shouldSwap = false;
  if (byHand(detail)) complain(detail.requestConfig.verb === "get" ? SAY.away : SAY.noAnswer);
});

// Forms and links without htmx would lead away from here, to the browser's own words.
for (const name of ["submit", "click"]) {
  document.addEventListener(name, (event) => {
    const leads = event.target.closest(name === "submit" ? "form[action]:not([hx-post])" : "a[href]:not([hx-get])");
    if (navigator.onLine || !leads || leads.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    complain(SAY.offline);
  });
}

// --- Refusals stand at what was typed ------------------------------------------------------------

const EDITABLE = "input:not([type=hidden]), select, textarea";
let refusals = 0;

// The server says what is wrong with which field; the form stays as it was typed. A form that is only
// a button has no place for it, and keeps its toast.
document.addEventListener("refused", ({ target, detail }) => {
  const form = target.closest("form");
  if (!form?.querySelector(EDITABLE)) return;
  forgive(form);
  const fields = detail.fields.map(({ name, words }) => [form.elements.namedItem(name), words]);
  const known = fields.filter(([field]) => field?.matches?.(EDITABLE));
  for (const [field, words] of known) mark(field, words);
  if (known.length) known[0][0].focus();
  else sayBelow(form, detail.words);
  form.dataset.refused = "";
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const form = detail.requestConfig.elt.closest("form[data-refused]");
  if (form && detail.xhr.status >= 400) detail.shouldSwap = false;
});

function mark(field, words) {
  const said = document.createElement("span");
  said.id = `refusal-${(refusals += 1)}`;
  said.className = "field-refusal";
  said.textContent = words;
  said.dataset.refusal = "";
  // It describes the field, and is no part of its name.
  said.setAttribute("aria-hidden", "true");
  field.closest(".field, label").append(said);
  field.setAttribute("aria-invalid", "true");
  const described = field.getAttribute("aria-describedby") ?? "";
  field.dataset.described ??= described; // as it was before the first of several
  field.setAttribute("aria-describedby", `${described} ${said.id}`.trim());
}

function sayBelow(form, words) {
  const said = document.createElement("p");
  said.className = "refusal whole";
  said.textContent = words;
  said.dataset.refusal = "";
  said.setAttribute("role", "alert");
  const button = form.querySelector("button:not([type=button])");
  const place = button?.closest(".actions") ?? button;
  if (place) place.before(said);
  else form.append(said);
}

function forgive(form) {
  delete form.dataset.refused;
  for (const said of form.querySelectorAll("[data-refusal]")) said.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) accept(field);
}

function accept(field) {
  field.removeAttribute("aria-invalid");
  if (field.dataset.described) field.setAttribute("aria-describedby", field.dataset.described);
  else field.removeAttribute("aria-describedby");
  delete field.dataset.described;
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt.matches("form")) forgive(detail.elt);
});

// --- Signed out meanwhile ------------------------------------------------------------------------

const isSignedOut = (xhr) => xhr.getResponseHeader("HX-Redirect")?.startsWith("/sign-in");

// The sign-in page would take the place of what somebody typed, were it they who sent it or a part of
// the page that looks by itself.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { elt, xhr } = event.detail;
  if (!isSignedOut(xhr)) return;
  if (elt.matches("form") && elt.querySelector(EDITABLE)) {
    event.preventDefault();
    forgive(elt);
    sayBelow(elt, SAY.signedOut);
  } else if (!byHand(event.detail) && [...document.forms].some(isTyped)) {
    event.preventDefault();
  }
});

function isTyped(form) {
  return [...form.querySelectorAll("input, textarea")].some((field) => (
    field.type === "file" ? field.files.length : field.value !== field.defaultValue
  ));
}

// --- Led to another page -------------------------------------------------------------------------

// Where a brand is deleted or somebody signed out, every part of an open page is told where to go: the
// first leads there. (A page led to one address several times at once has crashed browsers.) Whoever
// stops the browser on its way is led again a little later.
const LEADS_FOR = 10 * 1000;
let ledUntil = 0;

document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.defaultPrevented || !event.detail.xhr.getResponseHeader("HX-Redirect")) return;
  if (performance.now() < ledUntil) event.preventDefault();
  else ledUntil = performance.now() + LEADS_FOR;
});

// --- Uploading -----------------------------------------------------------------------------------

document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = event.target.querySelector?.("progress");
  if (bar && event.detail.lengthComputable) {
    bar.hidden = false;
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  }
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  detail.elt.querySelector(".uploads")?.replaceChildren(); // of those sent before
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.matches("form.upload")) return;
  detail.elt.querySelector("progress").hidden = true;
  if (detail.successful) emptyForm(detail.elt);
});

// Several pictures are sent one after another, each with its own line: one that fails keeps no other
// out, and what is not in the wardrobe afterwards is still chosen.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const files = form.matches("form.upload") ? [...form.elements.picture.files] : [];
  if (files.length < 2) return;
  event.preventDefault();
  event.stopPropagation();
  if (navigator.onLine) sendEach(form, files);
  else complain(SAY.offline);
}, true);

async function sendEach(form, files) {
  forgive(form);
  const list = form.querySelector(".uploads");
  list.replaceChildren();
  const lines = files.map((file) => uploadLine(list, file.name));
  const typed = new FormData(form);
  typed.delete("name"); // each is called what its file is called
  holdStill(form, true);
  const left = [];
  let last = {};
  for (const [number, file] of files.entries()) {
    typed.set("picture", file);
    if (!last.stop) last = await sendOne(form.action, typed, lines[number]);
    else sayInLine(lines[number], SAY.notSent, "fair");
    if (!last.added) left.push(file);
    else htmx.trigger("#garments", "look-again");
  }
  holdStill(form, false);
  if (left.length) keepChosen(form, left);
  else emptyForm(form);
  if (last.stop) last.stop(form);
  else if (left.length) sayBelow(form, SAY.stillChosen);
}

// What is typed or chosen meanwhile would belong to some of the pictures only.
function holdStill(form, still) {
  for (const field of form.elements) field.disabled = still;
}

function keepChosen(form, files) {
  const kept = new DataTransfer();
  for (const file of files) kept.items.add(file);
  form.elements.picture.files = kept.files;
  showPreview(form);
}

function emptyForm(form) {
  form.reset();
  showPreview(form);
}

function uploadLine(list, name) {
  const line = document.createElement("li");
  line.innerHTML = '<span class="name"></span> <progress max="100" value="0"></progress> <span class="said small"></span>';
  line.querySelector(".said").textContent = SAY.waits;
  line.querySelector(".name").textContent = name;
  line.querySelector("progress").setAttribute("aria-label", name);
  list.append(line);
  return line;
}

function sayInLine(line, text, state) {
  line.querySelector(".said").textContent = text;
  line.querySelector("progress").remove();
  line.className = state;
}

function sendOne(address, data, line) {
  const bar = line.querySelector("progress");
  line.querySelector(".said").textContent = SAY.reading;
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.timeout = UPLOAD_WITHIN;
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = ({ loaded, total }) => (bar.value = (100 * loaded) / total);
    request.onloadend = () => {
      const { said, state, ...became } = whatBecame(request);
      sayInLine(line, said, state);
      done(became);
    };
    request.send(data);
  });
}

// What stands in the picture's line, and whether it was added. ``stop``: there is no use in sending the
// others now, and what is to be said of that in the form.
function whatBecame(request) {
  const { refused } = JSON.parse(request.getResponseHeader("HX-Trigger") ?? "{}");
  const goal = request.getResponseHeader("HX-Redirect");
  if (goal) {
    const stop = (form) => (isSignedOut(request) ? sayBelow(form, SAY.signedOut) : location.assign(goal));
    return { said: SAY.notAdded, state: "bad", stop };
  }
  if (!request.status || (request.status >= 400 && !refused)) {
    return { said: SAY.noAnswer, state: "bad", stop: (form) => sayBelow(form, SAY.stillChosen) };
  }
  if (refused?.fields.some(({ name }) => name !== "picture")) {
    return { said: SAY.notAdded, state: "bad", stop: (form) => htmx.trigger(form, "refused", refused) };
  }
  if (refused) return { said: refused.words, state: "bad" };
  const answer = document.createElement("template");
  answer.innerHTML = request.responseText;
  const doubt = answer.content.querySelector(".toast.fair span")?.textContent;
  return { said: doubt ?? SAY.added, state: doubt ? "fair" : "good", added: true };
}

function showPreview(form) {
  const preview = form.querySelector("[data-preview]");
  const [file] = form.elements.picture.files;
  preview.hidden = !file;
  if (file) preview.src = URL.createObjectURL(file);
}

// What the browser cannot show may still be a picture for us.
document.addEventListener("error", ({ target }) => {
  if (target.matches?.("[data-preview]")) target.hidden = true;
}, true);

document.addEventListener("change", ({ target }) => {
  if (target.matches("form.upload input[type=file]")) showPreview(target.form);
});

// --- Searching and going elsewhere ---------------------------------------------------------------

const palette = document.getElementById("palette");
const asked = palette.querySelector("input");

function openPalette() {
  if (palette.open) return;
  palette.showModal();
  asked.select();
  htmx.trigger(asked, "look-again"); // what was found last time may be gone
}

document.addEventListener("click", (event) => {
  if (event.target === palette) palette.close(); // its backdrop
  const opener = event.target.closest("[data-palette]");
  if (!opener || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("keydown", (event) => {
  const isCombination = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k";
  if (!isCombination) return;
  event.preventDefault();
  openPalette();
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "palette-list") palette.querySelector(".command").refresh();
});

// --- By day or by night --------------------------------------------------------------------------

function sayAppearance() {
  const chosen = localStorage.getItem("appearance") ?? "";
  for (const button of document.querySelectorAll("[data-appearance] button")) {
    button.toggleAttribute("aria-current", button.value === chosen);
    button.setAttribute("aria-pressed", String(button.value === chosen));
  }
}

for (const choice of document.querySelectorAll("[data-appearance]")) {
  choice.hidden = false;
  choice.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.value) localStorage.setItem("appearance", button.value);
    else localStorage.removeItem("appearance");
    window.showAppearance();
    sayAppearance();
  });
}

// --- Copying -------------------------------------------------------------------------------------

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 2000);
});

// --- Now -----------------------------------------------------------------------------------------

rememberNew();
showTimes();
sayAppearance();
document.querySelectorAll("#toasts .toast").forEach(leaveLater);
