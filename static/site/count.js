// Comforts at the dock: a photograph is made smaller before it travels, and a finger signs. Without them the fields
// are what they say: choose a picture, type a name.

const LONGEST_SIDE_PX = 1600;
const WORTH_IT_BYTES = 600_000;

function put(field, blob, name) {
  const files = new DataTransfer();
  files.items.add(new File([blob], name, { type: blob.type }));
  field.files = files.files;
}

document.addEventListener(
  "change",
  async (event) => {
    const field = event.target;
    const file = field.dataset?.shrink === undefined ? null : field.files[0];
    if (!file || file.size < WORTH_IT_BYTES || !event.isTrusted) return;
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, LONGEST_SIDE_PX / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * scale);
      canvas.height = Math.round(picture.height * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
      if (!blob || field.files[0] !== file) return;
      put(field, blob, "photo.jpg");
      field.dispatchEvent(new Event("change", { bubbles: true }));
    } catch {
      // Not a picture this browser can read: the server says so.
    }
  },
  true,
);

function letSign() {
  const field = document.querySelector("input[data-sign]");
  const pad = document.getElementById("sign");
  if (!field || !pad) return;
  const canvas = pad.querySelector("canvas");
  const ink = canvas.getContext("2d");
  pad.hidden = false;
  field.closest(".field").classList.add("signed");
  const wipe = () => {
    ink.fillStyle = "#fff";
    ink.fillRect(0, 0, canvas.width, canvas.height);
    ink.lineWidth = 4;
    ink.lineCap = "round";
    ink.strokeStyle = "#111";
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  };
  wipe();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    ink.beginPath();
    ink.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    ink.lineTo(...at(event));
    ink.stroke();
  });
  canvas.addEventListener("pointerup", () => {
    canvas.toBlob((blob) => {
      put(field, blob, "signature.png");
      pad.dataset.signed = "yes";
    }, "image/png");
  });
  pad.querySelector("button").addEventListener("click", () => {
    wipe();
    field.value = "";
    delete pad.dataset.signed;
  });
}
letSign();
document.addEventListener("shown", letSign); // in the place of the page before (dock.js)
