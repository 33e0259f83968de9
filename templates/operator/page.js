{# What makes the operator pages more convenient; all of them work without it. No variables. #}
"use strict";
// A form that says `data-confirm` asks once more before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  // A second click sends nothing twice.
  if (event.submitter) {
    setTimeout(() => { event.submitter.disabled = true; }, 0);
    setTimeout(() => { event.submitter.disabled = false; }, 5000);
  }
});
