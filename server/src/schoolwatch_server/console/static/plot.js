// Draws one metric of the device over time, and draws it again as readings come.
"use strict";
(() => {
  const form = document.getElementById("plot-form");
  const box = document.getElementById("plot");
  const colours = ["#0b7fa8", "#c2581a", "#2c8a57", "#7a4fb5", "#a3192b", "#7d7a00"];
  let drawn = null;

  const scales = {
    "B": [1024, ["B", "KiB", "MiB", "GiB", "TiB"]],
    "bit/s": [1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]],
  };
  const language = document.documentElement.lang;
  const short = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const exact = new Intl.NumberFormat(language, { maximumSignificantDigits: 6 });
  function written(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "ratio") return short.format(value * 100) + "%";
    const scale = scales[unit];
    if (unit === "s" && Math.abs(value) < 1) return exact.format(value * 1000) + "\u00a0ms";
    if (!scale) return exact.format(value) + (unit === "s" ? "\u00a0s" : "");
    if (unit === "B" && value < 10 * 1024) return short.format(value) + "\u00a0B"; // an MTU of 1500 B is not 1.5 KiB
    let index = 0;
    while (Math.abs(value) >= scale[0] && index < scale[1].length - 1) { value /= scale[0]; index += 1; }
    return short.format(value) + "\u00a0" + scale[1][index];
  }

  function say(text) {
    if (drawn) { drawn.destroy(); drawn = null; }
    const note = document.createElement("p");
    note.className = "empty";
    note.textContent = text;
    box.replaceChildren(note);
  }

  function named(labels) {
    const parts = Object.keys(labels).sort().map((key) => (key === "family" ? "IPv" : "") + labels[key]);
    return parts.length ? parts.join(" · ") : box.dataset.single;
  }

  function draw(answer) {
    const times = new Set();
    for (const one of answer.series) for (const point of one.points) times.add(Date.parse(point.at) / 1000);
    if (!times.size) { say(box.dataset.none); return; }
    const x = [...times].sort((a, b) => a - b);
    const place = new Map(x.map((at, index) => [at, index]));
    const lines = answer.series.map((one) => {
      const y = new Array(x.length).fill(null);
      for (const point of one.points) y[place.get(Date.parse(point.at) / 1000)] = point.mean;
      return y;
    });
    const ink = getComputedStyle(document.body).color;
    const grid = { stroke: "rgba(128,128,128,.25)", width: 1 };
    if (drawn) drawn.destroy();
    box.replaceChildren();
    drawn = new uPlot({
      width: box.clientWidth, height: 240,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Asia/Ho_Chi_Minh"),
      scales: { x: { time: true }, y: { range: (_u, low, high) => answer.unit === "ratio" ? [0, 1] : [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
      axes: [
        { stroke: ink, grid, space: 70, values: (_u, at) => at.map((one) => tick(one, x)) },
        { stroke: ink, grid, size: 90, values: (_u, values) => values.map((value) => written(value, answer.unit)) },
      ],
      series: [
        { label: box.dataset.time, value: (_u, at) => at === null ? "–" : moment.format(at * 1000) },
        ...answer.series.map((one, index) => ({
          label: named(one.labels), stroke: colours[index % colours.length], width: 2, spanGaps: false,
          points: { show: x.length < 60 }, value: (_u, value) => written(value, answer.unit),
        })),
      ],
    }, [x, ...lines], box);
  }

  const zone = { timeZone: "Asia/Ho_Chi_Minh" };
  const moment = new Intl.DateTimeFormat(language, { ...zone, dateStyle: "short", timeStyle: "medium" });
  const hour = new Intl.DateTimeFormat(language, { ...zone, hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(language, { ...zone, day: "2-digit", month: "2-digit" });
  const second = new Intl.DateTimeFormat(language, { ...zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
  function tick(at, x) {
    const span = x[x.length - 1] - x[0];
    return (span > 2 * 86400 ? day : span > 1800 ? hour : second).format(at * 1000);
  }

  async function show() {
    const now = new Date();
    const query = new URLSearchParams({
      device: form.dataset.device, metric: form.metric.value,
      from: new Date(now - form.range.value * 1000).toISOString(), to: now.toISOString(),
    });
    try {
      const answer = await fetch("/api/v1/series?" + query, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      draw(await answer.json());
    } catch (error) {
      say(box.dataset.failed);
    }
  }

  if (!form || !form.metric.options.length) { if (box) say(box.dataset.none); return; }
  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("resize", () => { if (drawn) drawn.setSize({ width: box.clientWidth, height: 240 }); });
  setInterval(show, 15000);
  show();
})();
