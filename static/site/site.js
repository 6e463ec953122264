// Small comforts; every page works without them.

// A select marked data-more asks for the choices that depend on it.
document.addEventListener("change", (event) => {
  const select = event.target;
  if (!(select instanceof HTMLSelectElement) || !select.closest("[data-more]")) return;
  const place = select.closest("[data-more]").id;
  const more = select.form.querySelector(`button[name=more][formaction$="#${place}"]`);
  if (more) select.form.requestSubmit(more);
});

// A second tap on "Send" while the first is on its way sends nothing more; one that got lost may be repeated.
const ON_ITS_WAY_MS = 8000;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  // A form marked novalidate leaves its faults to the server, a file of 50 MB apart.
  const tooLarge = [...form.elements].find((field) => field.type === "file" && !field.validity.valid);
  if (tooLarge && !event.submitter?.formEnctype.includes("urlencoded")) {
    tooLarge.reportValidity();
    return event.preventDefault();
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, ON_ITS_WAY_MS);
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// "Add a line" without asking the server: the blank line lies in a template.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=add]");
  const blank = document.getElementById("blank-line");
  if (!button || !blank) return;
  event.preventDefault();
  const total = button.form.elements["lines-TOTAL_FORMS"];
  const number = Number(total.value);
  const html = blank.innerHTML.replaceAll("__prefix__", number).replaceAll("__number__", number + 1);
  document.getElementById("lines").insertAdjacentHTML("beforeend", html);
  total.value = number + 1;
  window.htmx?.process(document.getElementById("lines").lastElementChild);
  document.getElementById(`id_lines-${number}-item`).focus();
});

// A file that is too large is told so before it travels.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || !field.dataset.mostBytes) return;
  const isTooLarge = [...field.files].some((file) => file.size > Number(field.dataset.mostBytes));
  field.setCustomValidity(isTooLarge ? field.dataset.tooLarge : "");
  field.reportValidity();
});

// A button marked data-copy puts its text into the clipboard; where a browser does not let it, it stays hidden.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
  });
}

// Filters that were applied fold, so that a phone shows what they found.
document.addEventListener("submit", (event) => {
  const filters = event.target.querySelector("details.filters");
  if (filters && window.htmx) filters.open = false;
});
