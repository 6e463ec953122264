// A phone at the dock: the camera reads codes, parcels are ticked off, and what is pressed without a network is kept
// and sent later. Without this file a code is typed and the buttons are plain forms.

const { user, home, now, zxing } = document.getElementById("dock").dataset;
const CLOCK_OFF_MS = Number(now) * 1000 - Date.now(); // the clock of a phone may be wrong
const BETWEEN_LOOKS_MS = 150;
const SAME_CODE_MS = 2500;
const TRY_AGAIN_MS = 20_000;
const GIVE_UP_MS = 45_000;
const find = (selector) => document.querySelector(selector);

// -- What was pressed waits here until the site has answered. Sent twice, it is done once: its form's key goes along. --

const OUTBOX = `dock-outbox-${user}`; // whoever signs in next on this phone sends nothing in another's name
let isSending = false;

const outbox = () => JSON.parse(localStorage.getItem(OUTBOX) ?? "[]");
const keep = (moves) => localStorage.setItem(OUTBOX, JSON.stringify(moves));
const drop = (once) => keep(outbox().filter((move) => move.once !== once));

function asText(file) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1] ?? "");
    reader.readAsDataURL(file);
  });
}

function asFile({ name, type, text }) {
  return new File([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))], name, { type });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.move || event.defaultPrevented) return;
  event.preventDefault();
  const at = new Date(Date.now() + CLOCK_OFF_MS).toISOString();
  const given = new FormData(form);
  const once = given.get("once");
  const fields = [["pressed_at", at]];
  const files = [];
  for (const [name, value] of given) {
    if (name === "csrfmiddlewaretoken") continue; // the one of the page that sends it
    if (typeof value === "string") fields.push([name, value]);
    else if (value.size) files.push([name, { name: value.name, type: value.type, text: await asText(value) }]);
  }
  const move = { once, address: location.pathname, at, fields, words: form.querySelector(".wide").textContent };
  move.about = find("h1").textContent;
  try {
    keep([...outbox(), { ...move, files }]);
  } catch {
    keep([...outbox(), { ...move, files: [] }]);
    tell(find("#bare").content.cloneNode(true));
  }
  show();
  send();
});

async function send() {
  if (isSending) return;
  isSending = true;
  explain("sending");
  try {
    for (let move; (move = outbox()[0]) && (await take(move)); );
  } finally {
    isSending = false;
    show();
  }
}

// True once the site has answered, whatever it said. Anything else leaves the move where it is.
async function take(move) {
  const body = new FormData();
  for (const [name, value] of move.fields) body.append(name, value);
  for (const [name, file] of move.files) body.append(name, asFile(file));
  body.append("csrfmiddlewaretoken", find("[name=csrfmiddlewaretoken]").value);
  let response, html;
  try {
    response = await fetch(move.address, { method: "POST", body, signal: AbortSignal.timeout(GIVE_UP_MS) });
    html = await response.text();
  } catch {
    explain("network");
    return false;
  }
  const { pathname } = new URL(response.url);
  const isHere = pathname === "/" || pathname.startsWith(home);
  if (!isHere || ![200, 400, 404].includes(response.status)) {
    explain(!isHere || response.status === 403 ? "sign-in" : "network");
    return false;
  }
  drop(move.once);
  const answer = new DOMParser().parseFromString(html, "text/html");
  if (response.status === 404) {
    const gone = find("#gone").content.cloneNode(true);
    gone.querySelector("span").textContent = `${move.words} · ${move.about}`;
    tell(gone);
  } else if (move.address === location.pathname && answer.getElementById("dock")) {
    close();
    find("main").replaceWith(answer.querySelector("main"));
    history.replaceState(null, "", pathname);
    document.dispatchEvent(new Event("shown"));
  } else {
    tell(...answer.querySelectorAll("main > .note:not(#outbox)"));
  }
  return true;
}

const tell = (...notes) => find("#told").append(...notes);

function explain(why) {
  for (const words of document.querySelectorAll("#outbox [data-say]")) words.hidden = words.dataset.say !== why;
}

function show() {
  const box = find("#outbox");
  const moves = outbox();
  box.hidden = !moves.length;
  box.querySelector("ul").replaceChildren(
    ...moves.map((move) => {
      const line = box.querySelector("template").content.cloneNode(true);
      const time = new Date(move.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      line.querySelector("span").textContent = `${time} · ${move.words} · ${move.about}`;
      line.querySelector("button").dataset.drop = move.once;
      return line;
    }),
  );
  for (const form of document.querySelectorAll("form[data-move]")) {
    const said = ["move", form.dataset.move].join();
    const waits = moves.some(
      (move) => move.address === location.pathname && move.fields.some((field) => field.join() === said),
    );
    form.querySelector(".wide").disabled = waits;
  }
}

document.addEventListener("click", ({ target }) => {
  if (!target.dataset?.drop) return;
  drop(target.dataset.drop);
  for (const form of document.querySelectorAll("form[data-move]")) delete form.dataset.sent; // it may be pressed again
  show();
});
addEventListener("online", send);
document.addEventListener("visibilitychange", () => document.hidden || send());
setInterval(() => outbox().length && send(), TRY_AGAIN_MS);

// -- Parcels seen, for as long as this tab is open --------------------------------------------------------------------

const digits = (text) => text.replace(/^\]C1|[\s()\x1d-]/g, "").replace(/^00(?=\d{18}$)/, "");

function tick(text) {
  const parcels = find("#parcels");
  const sscc = digits(text);
  const parcel = /^\d{18}$/.test(sscc) && parcels?.querySelector(`[data-sscc="${sscc}"]`);
  if (!parcel) return false;
  const key = `dock-seen-${parcels.dataset.shipment}`;
  sessionStorage.setItem(key, JSON.stringify([...new Set([...seen(key), sscc])]));
  showSeen();
  return true;
}

const seen = (key) => JSON.parse(sessionStorage.getItem(key) ?? "[]");

function showSeen() {
  const parcels = find("#parcels");
  if (!parcels) return;
  parcels.hidden = false;
  const known = new Set(seen(`dock-seen-${parcels.dataset.shipment}`));
  const lines = [...parcels.querySelectorAll("[data-sscc]")];
  for (const line of lines) line.classList.toggle("seen", known.has(line.dataset.sscc));
  parcels.querySelector("[data-seen]").textContent = lines.filter((line) => known.has(line.dataset.sscc)).length;
}

function look(text) {
  if (tick(text)) navigator.vibrate?.(80);
  else {
    close(); // what is seen again while the answer is on its way would ask anew, and never arrive on a slow network
    location.assign(`${home}?${new URLSearchParams({ code: text })}`);
  }
}

document.addEventListener("submit", (event) => {
  const code = event.target.matches("[data-code]") && event.target.elements.code;
  if (!code || !tick(code.value)) return;
  event.preventDefault();
  code.value = "";
});

// -- The camera -------------------------------------------------------------------------------------------------------

let stream = null;

// A function from what the camera shows to the codes in it: the browser's own, or the one that lies beside this file.
async function reader() {
  const formats = ["qr_code", "code_128"];
  const own = (await window.BarcodeDetector?.getSupportedFormats()) ?? [];
  if (formats.every((format) => own.includes(format))) {
    const detector = new BarcodeDetector({ formats });
    return async (video) => (await detector.detect(video)).map((code) => code.rawValue);
  }
  await new Promise((done, failed) => {
    if (window.ZXing) return done();
    const script = document.createElement("script");
    Object.assign(script, { src: zxing, onload: done, onerror: failed });
    document.head.append(script);
  });
  const { BarcodeFormat, BinaryBitmap, DecodeHintType, HTMLCanvasElementLuminanceSource, HybridBinarizer } = window.ZXing;
  const decoder = new window.ZXing.MultiFormatReader();
  const wanted = [BarcodeFormat.QR_CODE, BarcodeFormat.CODE_128];
  decoder.setHints(
    new Map([
      [DecodeHintType.POSSIBLE_FORMATS, wanted],
      [DecodeHintType.TRY_HARDER, true],
    ]),
  );
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    ink.drawImage(video, 0, 0);
    const source = new HTMLCanvasElementLuminanceSource(canvas);
    try {
      return [decoder.decodeWithState(new BinaryBitmap(new HybridBinarizer(source))).getText()];
    } catch {
      return []; // nothing in this picture
    }
  };
}

async function open() {
  fault(null);
  if (!navigator.mediaDevices) return fault("insecure");
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (why) {
    return fault(why.name === "NotAllowedError" ? "denied" : "silent");
  }
  const mine = stream;
  const video = find("#dock video");
  video.srcObject = stream;
  video.hidden = find("[data-stop]").hidden = false;
  find("[data-scan]").hidden = true;
  let read;
  try {
    await video.play();
    read = await reader();
  } catch {
    if (stream !== mine) return; // somebody has closed it meanwhile
    close();
    return fault("silent");
  }
  let last = { text: "", at: 0 };
  while (stream === mine) {
    const [text] = video.videoWidth ? await read(video) : [];
    const isNew = text !== last.text || Date.now() - last.at > SAME_CODE_MS;
    if (text && isNew && stream === mine) look(text);
    if (text) last = { text, at: Date.now() };
    await new Promise((done) => setTimeout(done, BETWEEN_LOOKS_MS));
  }
}

function close() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  find("#dock video").hidden = find("[data-stop]").hidden = true;
  find("[data-scan]").hidden = false;
}

function fault(name) {
  for (const words of document.querySelectorAll("#dock [data-fault]")) words.hidden = words.dataset.fault !== name;
}

document.addEventListener("click", ({ target }) => {
  if (target.matches?.("[data-scan]")) open();
  if (target.matches?.("[data-stop]")) close();
});

// -- A page is shown, by the browser or in the place of the one before ------------------------------------------------

function begin() {
  find("#dock .camera").hidden = false;
  if (location.hash) tick(location.hash.slice(1));
  showSeen();
  show();
}

document.addEventListener("shown", begin);
begin();
send();
