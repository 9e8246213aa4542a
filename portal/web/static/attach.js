"use strict";
// Photos go up as soon as they are taken, made smaller first; signatures are written on the screen.
// Without this file a photo is chosen and sent with the button under it.
(() => {
  const fill = document.querySelector("form[data-fill]");
  if (!fill) return;
  const say = window.say ?? String;  // portal.js
  const LONGEST_SIDE = 2048;
  fill.classList.add("attaches");

  const smaller = async (file) => {
    if (!file.type.startsWith("image/") || file.size < 1 << 20) return file;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
      const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      return new File([await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 })], file.name, { type: "image/jpeg" });
    } catch { return file; } // the server reads what this browser cannot
  };
  const put = (input, file) => {
    const moved = new DataTransfer();
    moved.items.add(file);
    input.files = moved.files;
  };
  const send = (input) => {
    const button = input.closest(".attach").querySelector("[data-upload]");
    button.disabled = false;
    button.textContent = say("正在上传…");
    fill.requestSubmit(button);
  };

  // Caught before the form hears of it: a draft saved at the same moment would be somebody else's change.
  fill.addEventListener("change", async (event) => {
    const input = event.target;
    if (input.type !== "file") return;
    event.stopPropagation();
    if (!input.files.length) return;
    put(input, await smaller(input.files[0]));
    send(input);
  }, true);

  for (const pad of fill.querySelectorAll("[data-pad]")) {
    const canvas = pad.querySelector("canvas"), pen = canvas.getContext("2d");
    const input = [...fill.elements].find((one) => one.name === `_file.${pad.dataset.pad}`);
    let drawn = false;
    const clear = () => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      drawn = false;
    };
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
    };
    Object.assign(pen, { lineWidth: 4, lineCap: "round", lineJoin: "round", strokeStyle: "#111" });
    clear();
    pad.hidden = false;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!event.pressure && !event.buttons) return;
      pen.lineTo(...at(event));
      pen.stroke();
      drawn = true;
    });
    pad.querySelector("[data-clear]").addEventListener("click", clear);
    pad.querySelector("[data-done]").addEventListener("click", () => {
      if (!drawn) { canvas.focus(); return; }
      canvas.toBlob((blob) => {
        put(input, new File([blob], "签名.png", { type: "image/png" }));
        send(input);
      });
    });
  }
})();
