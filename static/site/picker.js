// A row is found by any of its names, and chosen by finger, mouse or arrow keys: the item of an appeal, the sides of an
// order. What is typed is asked by htmx. Without this file the button "Find" asks the server, and the list is a select.

const lineOf = (place) => place.closest(".line");
const foundIn = (place) => place.closest(".picker").querySelector("[data-found]");
const marked = (box) => box.querySelector("[role=option][aria-selected=true]");

function listen(field) {
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
}

function mark(field, option) {
  marked(foundIn(field))?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function close(field) {
  foundIn(field).replaceChildren();
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

function choose(option) {
  const line = lineOf(option);
  const field = line.querySelector("[data-picks]");
  const select = line.querySelector(`select[name$=${field.dataset.picks}]`);
  const isListed = [...select.options].some((known) => known.value === option.dataset.value);
  if (!isListed) select.add(new Option(option.textContent, option.dataset.value)); // a list of what was found so far
  select.value = option.dataset.value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  close(field);
  (line.querySelector("input[name$=-amount]") ?? select).focus();
}

document.addEventListener("focusin", ({ target }) => {
  if (target.dataset?.picks && !target.hasAttribute("role")) listen(target);
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  const field = target.closest?.(".picker")?.querySelector("[data-picks]");
  if (!field) return;
  const list = target.querySelector("[role=listbox]");
  field.setAttribute("aria-expanded", String(Boolean(list)));
  if (list) field.setAttribute("aria-controls", list.id);
  else field.removeAttribute("aria-controls");
});

document.addEventListener("click", ({ target }) => {
  const option = target.closest?.("[data-found] [role=option]");
  if (option) return choose(option);
  const puts = target.closest?.("[data-puts]");
  if (!puts) return;
  const field = lineOf(puts).querySelector(`input[name$=-${puts.dataset.puts}]`);
  const known = field.value.split(",").map((word) => word.trim());
  if (!known.includes(puts.dataset.value)) field.value = [...known.filter(Boolean), puts.dataset.value].join(", ");
  field.closest("details").open = true;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.dataset?.picks || event.isComposing) return; // a Chinese word is still being put together
  const options = [...foundIn(field).querySelectorAll("[role=option]")];
  const place = options.indexOf(marked(foundIn(field)));
  if (event.key === "Enter") {
    event.preventDefault(); // it would send the form
    if (options.length) choose(options[Math.max(place, 0)]);
  } else if (event.key === "Escape") close(field);
  else if (event.key === "ArrowDown" && options.length) {
    event.preventDefault();
    mark(field, options[(place + 1) % options.length]);
  } else if (event.key === "ArrowUp" && options.length) {
    event.preventDefault();
    mark(field, options[(place - 1 + options.length) % options.length]);
  }
});

// What is on its way is not kept as a draft once more, which would outlive it.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "post" && event.target.closest("form")?.dataset.sent) event.preventDefault();
});
