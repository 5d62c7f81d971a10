// Keeps a list of incidents as it is on the server, and says plainly when it can't.
// The server tells that something changed (server-sent events); the page is then asked for once more, with its
// own address, and the list is put in place of the old one. Nothing moves under a finger or a ticked box.
"use strict";
(() => {
  const status = document.getElementById("live");
  if (!status) return;
  const told = status.dataset;
  const root = document.documentElement;
  const QUIET = 20e3; // the server says every 5 s that it is there
  const STARTING = 8e3; // until then a first connection that says nothing is none that was lost
  const UNJUDGED = 60e3; // a server that judges says so every 3 s
  const OLD = 150e3; // of a list that is asked for every minute
  const language = root.lang === "vi" ? "vi-VN" : "en-GB";
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" });

  let source = null;
  let after = told.after;
  let heard = 0; // when the server said something last, or was connected to
  let isOn = false; // whether it has said anything over this connection
  let unjudged = 0; // for how long nothing has been judged, as it said
  let fetched = Date.now(); // when the list was so
  let failed = false; // the last time that it was asked for
  let due = false; // something changed since
  let asking = false;
  let next = 0; // not asked for before
  let tries = 0;
  let ended = false;
  let touched = 0; // when somebody last pointed into the list
  let said = "";

  const list = () => document.getElementById(told.list);

  function connect() {
    if (ended || document.hidden) return;
    if (source) source.close();
    heard = Date.now();
    isOn = false;
    source = new EventSource(told.stream + "?after=" + after);
    source.addEventListener("incidents", (event) => {
      const data = hear(event);
      after = event.lastEventId || after;
      count(data.unacknowledged);
      if (data.incidents.length) due = true;
      look();
    });
    source.addEventListener("alive", hear);
    source.addEventListener("ended", () => { ended = true; leave(); look(); });
    source.onerror = () => { leave(); look(); };
  }

  function hear(event) {
    const data = JSON.parse(event.data);
    heard = Date.now();
    tries = 0;
    unjudged = data.judged === null ? UNJUDGED : data.judged * 1000;
    isOn = true;
    return data;
  }

  function leave() {
    if (source) source.close();
    source = null;
    isOn = false;
    due = true; // whether the server can be asked at all is found out at once
    if (ended || document.hidden) return;
    tries += 1;
    setTimeout(() => { if (!source) connect(); }, Math.min(30e3, 1000 * 2 ** tries) * (0.75 + Math.random() / 2));
  }

  // what stands in the menu
  function count(number) {
    for (const place of document.querySelectorAll("[data-count=incidents]")) {
      place.hidden = !number;
      place.querySelector("[data-number]").textContent = new Intl.NumberFormat(language).format(number);
    }
  }

  // whether somebody is about to do something with what is in the list
  function isHeld() {
    const here = list();
    if (!here) return true;
    const focused = document.activeElement;
    const types = focused && here.contains(focused) && focused.matches("input:not([type=checkbox]), select, textarea");
    return types || here.querySelector("input[type=checkbox]:checked, form details[open]") || Date.now() - touched < 3000;
  }

  async function ask() {
    asking = true;
    due = false; // what happens from here on is asked for once more
    try {
      const headers = { "HX-Request": "true" }; // keeps no session open
      const answer = await fetch(told.address, { headers, signal: AbortSignal.timeout(20e3) });
      if (answer.headers.has("HX-Redirect")) ended = true; // to the login
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(told.list);
      if (!answer.ok || !fresh) throw new Error("not the list");
      if (isHeld()) due = true;
      else {
        put(fresh);
        for (const part of document.querySelectorAll("[data-live-part]")) {
          const other = page.getElementById(part.id);
          if (other && !part.contains(document.activeElement)) part.replaceChildren(...document.importNode(other, true).childNodes);
        }
        fetched = Date.now();
        failed = false;
      }
    } catch {
      due = failed = true; // it is not known to be so any more
    }
    asking = false;
    next = Date.now() + 2000;
    say();
  }

  function put(fresh) {
    const old = list();
    const known = new Set([...old.querySelectorAll("[data-incident]")].map((row) => row.dataset.incident));
    const row = document.activeElement && document.activeElement.closest("[data-incident]");
    old.replaceChildren(...document.importNode(fresh, true).childNodes);
    const rows = [...old.querySelectorAll("[data-incident]")];
    let came = 0;
    for (const one of rows) if (!known.has(one.dataset.incident)) { one.classList.add("fresh"); came += 1; }
    const same = row && rows.find((one) => one.dataset.incident === row.dataset.incident);
    if (same) { const link = same.querySelector("a"); if (link) link.focus({ preventScroll: true }); }
    if (came) announce(told.came.replace("{count}", came));
  }

  let note = "";
  let until = 0;
  function announce(text) { note = text; until = Date.now() + 8000; }

  function state() {
    if (ended) return "ended";
    const now = Date.now();
    if (!isOn && !tries && !failed && now - heard < STARTING) return "starting";
    if (!isOn || now - heard > QUIET) return !failed && now - fetched < 40e3 ? "polled" : "lost";
    if (unjudged >= UNJUDGED) return "unjudged";
    return !failed && (now - fetched < OLD || isHeld()) ? "on" : "old"; // what is held says that it waits
  }

  function say() {
    const now = state();
    root.dataset.live = now;
    let text = told[now === "old" ? "lost" : now];
    const waits = now === "on" && due && isHeld();
    if (waits) text = told.held;
    else if (now === "on" && Date.now() < until) text = text + ". " + note;
    text = text.replace("{time}", clock.format(new Date(fetched)));
    const button = document.getElementById("live-now");
    if (button) button.hidden = !waits;
    if (text === said) return; // told again, it would be read out again
    said = text;
    status.querySelector("[data-text]").textContent = text;
  }

  function look() {
    const now = Date.now();
    if (source && now - heard > QUIET) leave();
    const every = source ? 60e3 : 30e3; // without a stream the list is asked for now and then
    if (now - fetched > every) due = true;
    if (due && !asking && !ended && now >= next && !document.hidden && !isHeld()) ask();
    say();
  }

  function touch(event) {
    if (list() && list().contains(event.target)) touched = Date.now();
  }
  for (const kind of ["pointermove", "pointerdown", "touchstart"]) document.addEventListener(kind, touch, { passive: true });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { if (source) source.close(); source = null; } // a tab behind others takes no connection
    else { due = true; connect(); look(); }
  });
  const button = document.getElementById("live-now");
  if (button) button.addEventListener("click", () => {
    for (const box of list().querySelectorAll("input[type=checkbox]:checked")) box.checked = false;
    for (const fold of list().querySelectorAll("form details[open]")) fold.open = false;
    touched = 0; next = 0; due = true; look();
  });
  window.addEventListener("pagehide", () => { if (source) source.close(); source = null; });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { due = true; connect(); } });
  setInterval(look, 1000);
  connect();
  say();
})();
