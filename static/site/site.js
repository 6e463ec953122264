// Small comforts; every page works without them.

// A select marked data-more asks for the choices that depend on it.
document.addEventListener("change", (event) => {
  const select = event.target;
  if (!(select instanceof HTMLSelectElement) || !select.closest("[data-more]")) return;
  const place = select.closest("[data-more]").id;
  const more = select.form.querySelector(`button[name=more][formaction$="#${place}"]`);
  if (more) select.form.requestSubmit(more);
});

// A second tap on "Send" while the first is on its way sends nothing more.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
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
  document.getElementById(`id_lines-${number}-item`).focus();
});
