// Keys of the desk, for whoever works through a list. Everything works without them; ? says which there are.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("#result_list tbody tr")];
  const cards = () => [...document.querySelectorAll(".waiting li a")];
  let at = -1;

  function go(step) {
    const found = rows().length ? rows() : cards();
    if (!found.length) return;
    found[at]?.classList.remove("at");
    at = Math.min(Math.max(at + step, 0), found.length - 1);
    found[at].classList.add("at");
    const link = found[at].matches("a") ? found[at] : found[at].querySelector("th a, td a");
    (link || found[at]).focus({ preventScroll: true });
    found[at].scrollIntoView({ block: "nearest" });
  }

  const keys = {
    j: () => go(1),
    k: () => go(-1),
    o: () => (rows()[at]?.querySelector("th a, td a") || cards()[at])?.click(),
    x: () => rows()[at]?.querySelector("input.action-select")?.click(),
    a: () => document.querySelector(".offered button, .asked button, select[name=action]")?.focus(),
    "/": () => document.querySelector("#searchbar")?.focus(),
    "?": () => {
      const help = document.querySelector("#keys");
      if (help) help.open ? help.close() : help.showModal();
    },
  };

  // On a phone desk.css lays the cells of a row below one another; each then needs its heading.
  for (const list of document.querySelectorAll("#result_list, .inline-group table")) {
    const heads = [...list.tHead.rows[0].cells].map((head) => head.innerText.trim());
    for (const row of list.querySelectorAll("tbody tr")) {
      [...row.children].forEach((cell, place) => {
        if (!cell.matches("td:not(.action-checkbox)")) return;
        if (heads[place]) cell.dataset.head = heads[place];
        if (["–", "-", ""].includes(cell.textContent.trim()) && !cell.querySelector("a, img, input")) cell.dataset.nothing = "";
      });
    }
    list.classList.add("stacked");
  }

  document.addEventListener("keydown", (event) => {
    const in_field = event.target.closest("input, textarea, select, [contenteditable]");
    if (in_field || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!Object.hasOwn(keys, event.key)) return;
    if (document.querySelector("dialog[open]") && event.key !== "?") return;
    event.preventDefault();
    keys[event.key]();
  });
})();
