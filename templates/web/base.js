{# The script of the forms. No variables. #}
// Makes the forms nicer; without it they work the same.
"use strict";

const every = document.getElementById("every");
const zone = document.getElementById("time_zone");
const form = zone && zone.form;

function showWhatGoesWithTheCadence() {
  for (const field of document.querySelectorAll("[data-when]")) {
    field.hidden = !field.dataset.when.split(" ").includes(every.value);
  }
}

if (every) {
  every.addEventListener("change", showWhatGoesWithTheCadence);
  showWhatGoesWithTheCadence();
}

// The zone is guessed once, on a fresh form; whoever is elsewhere corrects it.
if (form && form.dataset.guess === "yes") {
  const guessed = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...zone.options].some((option) => option.value === guessed)) {
    zone.value = guessed;
  }
}
