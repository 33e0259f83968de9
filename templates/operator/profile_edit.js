{# Shows the estimate while somebody types; the form works without it. No variables. #}
"use strict";
// Waits until nothing was typed for a while, and asks for one estimate at a time.
(() => {
  const form = document.querySelector("form[data-estimate]");
  const place = document.getElementById("estimate");
  const said = document.getElementById("said");
  if (!form || !place) return;
  let timer = 0, request = null;
  const ask = async () => {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    const fields = new URLSearchParams(new FormData(form));
    fields.set("do", "live");
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields, signal });
      // Any other answer is a page: of a log-in that ended, for example.
      if (answer.headers.get("X-Part") === "estimate") {
        place.innerHTML = await answer.text();
        said.textContent = (place.querySelector("[data-say]") ?? place.querySelector(".wrong"))?.textContent ?? "";
      }
    } catch {
      // Without an answer the last estimate stays; the button "Estimate" says what is wrong.
    }
    if (!signal.aborted) place.removeAttribute("aria-busy");
  };
  form.addEventListener("input", (event) => {
    if (["reason", "past", "looked"].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 900);
  });
})();
