// 抽取复核（网页）：先核对批次文件的指纹。 First cut: the round file's digest, with a SHA-256 of its own.
"use strict";

const ROUND_CONSTANTS = Int32Array.from([...Array(400).keys()].slice(2).filter((n) => {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}).slice(0, 64), (prime) => Math.floor((Math.cbrt(prime) % 1) * 2 ** 32));

function sha256(data) {
  const padded = new Uint8Array(((data.length + 72) >> 6) << 6);
  padded.set(data);
  padded[data.length] = 128;
  const view = new DataView(padded.buffer), W = new Int32Array(64);
  view.setUint32(padded.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(padded.length - 4, (data.length << 3) >>> 0);
  const state = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t++) {
      if (t < 16) W[t] = view.getInt32(at + 4 * t);
      else {
        const x = W[t - 15], y = W[t - 2];
        W[t] = W[t - 16] + W[t - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
      }
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[t] + W[t]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

document.getElementById("recompute")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const option = event.target.elements.round.selectedOptions[0], summary = document.getElementById("summary");
  if (!option) return;
  try {
    const answer = await fetch(option.dataset.base + "round.json");
    if (!answer.ok) throw new Error(`读不到批次文件（${answer.status}）。请检查网络后再试。`);
    const digest = sha256(new Uint8Array(await answer.arrayBuffer())), same = digest === option.dataset.digest;
    summary.className = same ? "note ok" : "note bad";
    summary.textContent = `批次文件的指纹与公布的${same ? "相同" : "不同"}：${digest}。其余各项请用核验程序计算。`;
  } catch (error) {
    summary.className = "note bad";
    summary.textContent = error.message;
  }
});
