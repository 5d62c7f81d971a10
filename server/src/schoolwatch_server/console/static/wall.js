// The clock of a wall screen, by the server's time: the screen's own may be wrong.
"use strict";
(() => {
  const clock = document.getElementById("clock");
  const language = document.documentElement.lang === "vi" ? "vi-VN" : "en-GB";
  const zone = { timeZone: "Asia/Ho_Chi_Minh" };
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, ...zone });
  const day = new Intl.DateTimeFormat(language, { weekday: "long", day: "2-digit", month: "2-digit", year: "numeric", ...zone });
  const ahead = Number(clock.dataset.now) * 1000 - Date.now();
  function tick() {
    const now = new Date(Date.now() + ahead);
    clock.textContent = time.format(now);
    document.getElementById("today").textContent = day.format(now);
  }
  setInterval(tick, 1000);
  tick();
})();
