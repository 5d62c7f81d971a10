// The list of incidents by keyboard: j, k, Enter, x, a, / and ?. Not while somebody types.
"use strict";
(() => {
  const LIST = "incident-list";
  const help = document.getElementById("keys");
  const rows = () => [...document.querySelectorAll("#" + LIST + " [data-incident]")];
  const link = (row) => row.querySelector("a[href]");
  const box = (row) => row.querySelector("input[type=checkbox][name=incident]");
  const wish = document.getElementById("keys-on");
  let isOn = true; // who speaks to the computer switches keys of one letter off (WCAG 2.1.4), in this browser
  try { isOn = localStorage.getItem("keys") !== "off"; } catch { /* a browser that keeps nothing */ }
  let last = ""; // the incident that one was at: the list may have been put in place anew

  function here() {
    const row = document.activeElement && document.activeElement.closest("#" + LIST + " [data-incident]");
    if (row) last = row.dataset.incident;
    return row;
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    here();
    const at = all.findIndex((row) => row.dataset.incident === last);
    const row = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
    last = row.dataset.incident;
    link(row).focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function acknowledge() {
    const ticked = rows().map(box).filter((one) => one && one.checked);
    const row = here();
    if (!ticked.length && (!row || !box(row))) return;
    const form = (ticked[0] || box(row)).form;
    const button = form && [...form.elements].find((one) => one.name === "act" && one.value === "acknowledge" && one.type === "submit");
    if (!button) return;
    if (!ticked.length) box(row).checked = true;
    button.click();
  }

  function isTyping(target) {
    return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=submit])");
  }

  function search() {
    const field = document.querySelector("main input[type=search], main input[name=q]");
    const fold = field && field.closest("details");
    if (fold) fold.open = true;
    if (field) { field.focus(); field.select(); }
    return Boolean(field);
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: () => { const row = here(); if (row && box(row)) box(row).click(); },
    a: acknowledge,
    "/": search,
    "?": () => help && help.showModal(),
    Enter: () => { // on a link the browser does it by itself
      const row = here();
      if (!row || document.activeElement.matches("a, button, summary")) return false;
      link(row).click();
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (help && help.open) return; // Escape closes it by itself
    if (isTyping(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    if (!isOn && event.key.length === 1) return;
    const act = keys[event.key];
    if (act && act() !== false) event.preventDefault();
  });
  if (wish) {
    wish.checked = isOn;
    wish.addEventListener("change", () => {
      isOn = wish.checked;
      try { localStorage.setItem("keys", isOn ? "on" : "off"); } catch { /* until the page is left */ }
    });
  }
  for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", () => help.showModal());
})();
