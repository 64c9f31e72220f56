"use strict";

const $ = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;

let file = null;
let running = false;
/** Ends the waiting for a callback of an earlier upload. */
let earlier = new AbortController();

// What is shown

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", "", ...known.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} byte${bytes === 1 ? "" : "s"}`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function clock(date) {
  return element("time", date.toLocaleTimeString());
}

function show(kind, title, text, pairs = []) {
  $("outcome").className = kind;
  $("outcome").replaceChildren(element("h3", title), element("p", text), facts(pairs));
  $("outcome").scrollIntoView({ block: "nearest" });
}

function happened(kind, ...children) {
  const item = element("li", "", ...children);
  item.className = kind;
  $("events").append(item);
  return item;
}

function setRunning(is) {
  running = is;
  // Not `disabled`: that would take the focus away from whoever uses the keyboard.
  $("upload").setAttribute("aria-disabled", is);
  if (is) {
    $("outcome").replaceChildren();
    $("outcome").className = "";
    $("sending").hidden = true;
  } else {
    $("upload").textContent = "Upload again";
  }
}

// The file

function choose(list) {
  if (running || list.length === 0) return;
  file = list[0];
  $("name").textContent = file.name;
  $("limit").textContent = size(file.size);
  $("upload").textContent = "Upload";
}

$("file").addEventListener("change", () => choose($("file").files));
for (const type of ["dragenter", "dragover"]) {
  $("drop").addEventListener(type, (event) => {
    event.preventDefault();
    $("drop").classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) {
  $("drop").addEventListener(type, (event) => {
    event.preventDefault();
    $("drop").classList.remove("over");
  });
}
$("drop").addEventListener("drop", (event) => choose(event.dataTransfer.files));
// A file that is dropped beside it does not replace the page.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());

// The permission

async function askForPermission(by, trouble) {
  const wish = { by, trouble, name: file.name, size: file.size, type: file.type };
  const answer = await fetch("/permissions", { method: "POST", body: JSON.stringify(wish) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** What somebody does who wants to upload more than is permitted, or elsewhere. */
function tamper(permission) {
  if (!permission.fields) {
    permission.url = permission.url.replace("/uploads/", "/elsewhere/");
    return;
  }
  const policy = permission.fields.find(([name]) => name === "policy");
  const text = atob(policy[1]).replace(/"content-length-range",\d+,\d+/, '"content-length-range",0,5000000000');
  policy[1] = btoa(text);
}

// The upload

/** Sends the file, and gives status, body and headers; status 0 when there was no answer. */
function send(permission) {
  const request = new XMLHttpRequest();
  const { upload } = request;
  const progress = (sent, total) => {
    $("progress").value = total ? sent / total : 1;
    $("sent").textContent = `${size(sent)} of ${size(total)}`;
  };
  upload.addEventListener("progress", (event) => progress(event.loaded, event.total));
  upload.addEventListener("load", (event) => {
    progress(event.loaded, event.total);
    $("sent").textContent = "all sent, waiting …";
  });
  $("sent").textContent = "";
  $("progress").value = 0;
  $("sending").hidden = false;
  let body = file;
  request.open(permission.method ?? "POST", permission.url);
  if (permission.fields) {
    body = new FormData();
    for (const [name, value] of permission.fields) body.append(name, value);
    // The file comes last: OSS ignores what stands behind it.
    body.append("file", file);
  } else {
    // These were signed. The browser itself sends the length.
    for (const [name, value] of Object.entries(permission.headers)) {
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value);
    }
  }
  $("cancel").hidden = false;
  $("cancel").onclick = () => request.abort();
  return new Promise((resolve) => {
    request.addEventListener("loadend", () => {
      $("cancel").hidden = true;
      $("sending").hidden = request.status < 200 || request.status >= 300;
      $("progress").value = 1;
      $("sent").textContent = "all sent";
      resolve(request);
    });
    request.send(body);
  });
}

/** Waits for what OSS tells the application server; ends with the signal. */
async function watch(upload, signal) {
  while (!signal.aborted) {
    const answer = await fetch(`/uploads/${upload}`, { signal });
    if (answer.status === 200) return answer.json();
    if (answer.status !== 204) return null;
  }
  return null;
}

function showCallback(told) {
  const checks = ["OSS has sent it", "we have permitted the upload", "it comes for the first time"];
  happened(
    told.agreed ? "good" : "bad",
    clock(new Date()),
    element("div", told.agreed ? "was called back and agreed" : "was called back and refused"),
    element("ul", "", ...checks.map((check) => element("li", check))),
    facts([["object", told.object], ["size", size(told.size)]]),
  );
}

// What came of it, in plain words

const text = (xml, name) => new DOMParser().parseFromString(xml, "text/xml").querySelector(name)?.textContent ?? "";

function explain(answer, calledBack) {
  const { status, responseText } = answer;
  const code = text(responseText, "Code");
  const message = text(responseText, "Message");
  const refusal = [
    ["OSS said", [status, code].filter(Boolean).join(" ")],
    ["message", message],
    ["request id", text(responseText, "RequestId")],
  ];
  if (status === 0) {
    show(
      "warning",
      "There was no answer",
      calledBack
        ? "The file is stored all the same: OSS has told the application server. Do not upload it again."
        : "Either OSS cannot be reached, or it does not allow this page (CORS), or the connection was lost or " +
          "cancelled on the way. Whether the file is stored is not known.",
    );
  } else if (status === 203) {
    show(
      "warning",
      "Stored, but the application server did not agree",
      "The file is in OSS; do not upload it again. The application does not know of it, or did not want it.",
      refusal,
    );
  } else if (status < 300) {
    show("good", "Stored, and the application server knows", "This is its answer, which OSS has passed on:", [
      ["answer", responseText],
      ["ETag", answer.getResponseHeader("ETag")],
      ["request id", answer.getResponseHeader("x-oss-request-id")],
    ]);
  } else if (status >= 500) {
    show("warning", "OSS is in trouble", "Whether the file is stored is not known.", refusal);
  } else if (status === 403 && /expired/i.test(message)) {
    show("bad", "The permission has expired", "Nothing was stored. Upload again to get a new permission.", refusal);
  } else if (code === "SignatureDoesNotMatch" || /^Invalid according to Policy/.test(message)) {
    show(
      "bad",
      "This was not permitted",
      "What was sent is not what the application server has permitted: somebody or something has changed it. " +
        "Nothing was stored.",
      refusal,
    );
  } else if (code === "EntityTooLarge" || code === "EntityTooSmall") {
    show("bad", "The file does not have the permitted size", "Nothing was stored.", refusal);
  } else if (code === "FileAlreadyExists") {
    show("bad", "This permission was used before", "The file of the first upload is kept; this one was not stored.", refusal);
  } else {
    show("bad", "OSS has refused the upload", "Nothing was stored.", refusal);
  }
}

// One upload from beginning to end

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function run() {
  const trouble = chosen("trouble");
  $("events").replaceChildren();
  earlier.abort();
  let permitted;
  try {
    permitted = await askForPermission(chosen("by"), trouble);
  } catch (error) {
    const lost = error instanceof TypeError;
    show("bad", "There is no permission", lost ? "The application server cannot be reached." : error.message);
    happened("bad", clock(new Date()), element("div", "has permitted nothing"));
    return;
  }
  const { permission } = permitted;
  happened(
    "",
    clock(new Date()),
    element("div", `has permitted one upload until ${new Date(permission.expires).toLocaleTimeString()}`),
    facts([["object", permitted.object], ["size", size(file.size)]]),
  );
  const waiting = happened("quiet", element("div", "waits for the callback"));
  if (trouble === "tampered") tamper(permission);
  // It is good for a second.
  if (trouble === "expired") await wait(2100);

  earlier = new AbortController();
  const { signal } = earlier;
  let answer = null;
  let calledBack = false;
  const watching = watch(permitted.upload, signal).then((told) => {
    if (!told) return;
    calledBack = true;
    waiting.remove();
    showCallback(told);
    // That was not known until now.
    if (answer && !isAnswered()) explain(answer, true);
  }, () => {});
  const isAnswered = () => answer.status > 0 && answer.status < 500;

  answer = await send(permission);
  // OSS calls back before it answers, so that the news is on its way to this page if there is any.
  if (answer.status >= 200 && answer.status < 300) await Promise.race([watching, wait(3000)]);
  explain(answer, calledBack);
  if (isAnswered() && !calledBack) {
    earlier.abort();
    waiting.firstChild.textContent = "was not called back";
  }
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) return;
  if (!file) {
    show("bad", "No file is chosen", "Choose one, or drop one onto the field above.");
    $("file").focus();
    return;
  }
  setRunning(true);
  try {
    await run();
  } finally {
    setRunning(false);
  }
});
