{# The script of the page of `notifier preview --serve`. No variables. #}
// Reload when a template changes; the select boxes need no button.
let known = "";
async function look() {
  try {
    const version = await (await fetch("version", { cache: "no-store" })).text();
    if (known && version !== known) location.reload();
    known = version;
  } catch { /* the program was stopped, or is being started again */ }
}
setInterval(look, 1000);
document.querySelectorAll("select").forEach((box) => box.addEventListener("change", () => box.form.submit()));
