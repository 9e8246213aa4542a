// 抽取复核（网页）：照公开规范 ssj/1 在您的设备上从头重抽一轮；不上传任何内容，不用抽取系统的任何代码。
// Draws one revealed round (specification ssj/1) again in the browser, and checks vouchers; the same checks as
// verify.py in the same order. This one file is the page's script and, started by it, the worker that computes.
// Steps are generators: they yield {read: path} to get a file, {line}, {progress}; so they run at full speed in
// a worker and in slices where a worker is refused. Numbers are whole and below 2^53, or BigInt.
"use strict";
(() => {
const WHOLE = 1_000_000, BLOCK = 256, CHUNK = 8192;
const ID = /^[0-9A-Za-z#_-]{1,64}$/, HEX = /^[0-9a-f]{64}$/;
const TIME = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\+08:00$/;
const NOT_TEXT = /^$|^\p{Zs}|\p{Zs}$|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const utf8 = new TextEncoder(), strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// ---- 摘要算法 / SHA-256 (FIPS 180-4) and SM3 (GB/T 32905), synchronous: a promise per ticket would cost minutes ----
const SHA_K = Int32Array.from((
  "428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5d807aa9812835b01243185be550c7dc372be5d7480deb1fe9bdc06a7c19bf174" +
  "e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca635114292967" +
  "27b70a852e1b21384d2c6dfc53380d13650a7354766a0abb81c2c92e92722c85a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070" +
  "19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3748f82ee78a5636f84c878148cc7020890befffaa4506cebbef9a3f7c67178f2"
).match(/.{8}/g), (word) => parseInt(word, 16));
const SHA_START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const SM3_START = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];
const SM3_T = Int32Array.from({ length: 64 }, (_, j) => turn(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32));
const W = new Int32Array(68);

function turn(x, n) { return (x << n) | (x >>> (32 - n)); }
function load(data, at) {
  for (let t = 0; t < 16; t++, at += 4) W[t] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
}
function shaBlock(state, data, at) {
  load(data, at);
  for (let t = 16; t < 64; t++) {
    const x = W[t - 15], y = W[t - 2];
    W[t] = (W[t - 16] + W[t - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
      (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let t = 0; t < 64; t++) {
    const one = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + (g ^ (e & (f ^ g))) + SHA_K[t] + W[t]) | 0;
    const two = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}
function sm3Block(state, data, at) {
  load(data, at);
  for (let j = 16; j < 68; j++) {
    const x = W[j - 16] ^ W[j - 9] ^ turn(W[j - 3], 15);
    W[j] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(W[j - 13], 7) ^ W[j - 6];
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let j = 0; j < 64; j++) {
    const a12 = turn(a, 12), one = turn((a12 + e + SM3_T[j]) | 0, 7), early = j < 16;
    const left = ((early ? a ^ b ^ c : (a & b) | (a & c) | (b & c)) + d + (one ^ a12) + (W[j] ^ W[j + 4])) | 0;
    const right = ((early ? e ^ f ^ g : (e & f) | (~e & g)) + h + one + W[j]) | 0;
    d = c; c = turn(b, 9); b = a; a = left; h = g; g = turn(f, 19); f = e; e = right ^ turn(right, 9) ^ turn(right, 17);
  }
  state[0] ^= a; state[1] ^= b; state[2] ^= c; state[3] ^= d; state[4] ^= e; state[5] ^= f; state[6] ^= g; state[7] ^= h;
}
// A hash: H(part, ...) of strings and bytes gives 32 bytes; H.words(data, from, to) leaves eight 32-bit words in one shared array.
function makeHash(start, block) {
  const state = new Int32Array(8), tail = new Uint8Array(128), view = new DataView(tail.buffer);
  function words(data, from, to) {
    for (let i = 0; i < 8; i++) state[i] = start[i];
    let at = from;
    for (; at + 64 <= to; at += 64) block(state, data, at);
    const rest = to - at, size = rest < 56 ? 64 : 128;
    for (let i = 0; i < rest; i++) tail[i] = data[at + i];
    tail[rest] = 128;
    for (let i = rest + 1; i < size - 8; i++) tail[i] = 0;
    view.setUint32(size - 8, Math.floor((to - from) / 2 ** 29));
    view.setUint32(size - 4, ((to - from) << 3) >>> 0);
    block(state, tail, 0);
    if (size === 128) block(state, tail, 64);
    return state;
  }
  function H(...parts) {
    const data = join(parts), out = new Uint8Array(32), to = new DataView(out.buffer);
    words(data, 0, data.length).forEach((word, i) => to.setInt32(4 * i, word));
    return out;
  }
  return Object.assign(H, { words });
}
const SUITES = { sha256: makeHash(SHA_START, shaBlock), sm3: makeHash(SM3_START, sm3Block) };
function join(parts) {
  const pieces = parts.map((part) => (typeof part === "string" ? utf8.encode(part) : part));
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) { out.set(piece, at); at += piece.length; }
  return out;
}
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
function root(H, leaves) {
  while (leaves.length > 1) { // an odd node goes up unchanged
    const above = [];
    for (let i = 0; i + 1 < leaves.length; i += 2) above.push(H("\x01", leaves[i], leaves[i + 1]));
    leaves = leaves.length % 2 ? [...above, leaves.at(-1)] : above;
  }
  return leaves.length ? leaves[0] : H();
}

// ---- 格式 / the format: each function gives its value back, or refuses it with words and a place ----
function need(fine, what, where = "", hash = "") {
  if (!fine) throw Object.assign(new Error(what), { where, hash });
}
// UTF-8 byte order, which is code point order; JavaScript's own order puts U+10000 and above before U+E000.
function byBytes(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i), high = (unit) => unit >= 0xd800 && unit <= 0xdfff;
    if (x !== y) return high(x) === high(y) ? x - y : high(x) ? 1 : -1;
  }
  return a.length - b.length;
}
function canonical(value) {
  if (typeof value === "string") {
    need(!/[\0-\x1f]/.test(value), "含控制字符");
    return `"${value.replace(/["\\]/g, "\\$&")}"`;
  }
  if (typeof value === "number") need(Number.isSafeInteger(value), `数 ${value} 不是允许的整数`);
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = value instanceof Map ? [...value] : Object.keys(value).map((key) => [key, value[key]]);
  return `{${entries.sort((a, b) => byBytes(a[0], b[0])).map(([key, one]) => `${canonical(key)}:${canonical(one)}`).join(",")}}`;
}
function readJson(bytes, file) {
  let text, value;
  try { text = strict.decode(bytes); } catch { need(false, `${file} 不是 UTF-8 文字`, file); }
  try { value = JSON.parse(text); } catch { need(false, `${file} 不是 JSON`, file); }
  let plain;
  try { plain = canonical(value); } catch (error) { need(false, `${file} 不是规范的 JSON：${error.message}`, file); }
  if (plain !== text) { // a key twice, keys out of order, spaces, escapes, 1.0, -0
    let at = 0;
    while (plain[at] === text[at]) at++;
    need(false, `${file} 不是规范的 JSON：键的次序、重复的键、空白或转义不合规定`, `${file} 第 ${grouped(at + 1)} 字`);
  }
  return value;
}
const own = (value, key) => Object.prototype.hasOwnProperty.call(value, key);
function dict(value, file) { need(value !== null && typeof value === "object" && !Array.isArray(value), `${file} 的结构不合规定`, file); return value; }
function keys(value, names, file, more = false) { // exactly these keys, or at least these
  const wanted = typeof names === "string" ? names.split(" ") : names;
  const fine = wanted.every((key) => own(dict(value, file), key)) && (more || Object.keys(value).length === wanted.length);
  need(fine, `${file} 有一处应有的键是 ${wanted.join("、")}`, file);
  return value;
}
function items(value, file) { need(Array.isArray(value), `${file} 里应是列表的地方不是列表`, file); return value; }
function count(value, file, top = Number.MAX_SAFE_INTEGER) {
  need(Number.isSafeInteger(value) && value >= 0 && value <= top, `${file} 里的数 ${value} 不在允许的范围`, file);
  return value;
}
function ident(value, file) { need(typeof value === "string" && ID.test(value), `${file} 里的代码 ${value} 不合规定`, file); return value; }
function raw(value, file) {
  need(typeof value === "string" && HEX.test(value), `${file} 里的 ${value} 不是 64 位十六进制`, file);
  return Uint8Array.from(value.match(/../g), (pair) => parseInt(pair, 16));
}
function text(value, file) { // NFC, not empty, no control or format characters, no white space at its ends
  need(typeof value === "string" && !NOT_TEXT.test(value) && value === value.normalize("NFC"), `${file} 里的文字“${value}”不合规定`, file);
  return value;
}
function moment(value, file) {
  const m = typeof value === "string" && TIME.exec(value), [year, month, day] = m ? m.slice(1, 4).map(Number) : [0, 0, 0];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0), days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  need(year >= 1 && day >= 1 && day <= (days[month - 1] ?? 0), `${file} 里的时间 ${value} 不合规定`, file);
  return value;
}

// ---- 轮次与种子 / the round and its seed ----
function bitsOf(groups) {
  let ways = 1n;
  for (const [many, low, high] of groups) {
    let choose = 1n;
    for (let i = 0; i < many; i++) choose = (choose * BigInt(high - low + 1 - i)) / BigInt(i + 1);
    ways *= choose;
  }
  const digits = ways.toString(16);
  return 4 * digits.length - 4 + parseInt(digits[0], 16).toString(2).length - 1;
}
function readRound(bytes, file = "round.json") {
  const r = keys(readJson(bytes, file), "spec suite round disclosure sources secrets draw_not_before tasks", file, true);
  need(r.spec === "ssj/1" && (r.disclosure === "open" || r.disclosure === "sealed"), `${file} 的 spec 或 disclosure 不是规定的`, file);
  ident(r.round, file);
  const sealed = r.disclosure === "sealed", latest = moment(r.draw_not_before, file);
  need(sealed === own(r, "salt_commit"), `${file} 混用了公开与不公开两种方式`, file);
  if (sealed) raw(r.salt_commit, file);
  let bits = 0;
  for (const source of items(r.sources, file)) {
    const groups = items(keys(source, "name bits drawn_at groups", file, true).groups, file), name = text(source.name, file);
    need(moment(source.drawn_at, file) < latest && groups.length > 0, `种子来源“${name}”不早于抽取，或者没有号码形状`, file);
    for (const group of groups) {
      need(items(group, file).length === 3, `种子来源“${name}”的号码形状不合规定`, file);
      const [many, low, high] = [count(group[0], file, 1000), count(group[1], file), count(group[2], file, 1e9)];
      need(many >= 1 && many <= high - low + 1, `种子来源“${name}”的号码形状不可能`, file);
    }
    need(count(source.bits, file) === bitsOf(groups), `种子来源“${name}”的比特数应为 ${bitsOf(groups)}，文件写作 ${source.bits}`, file);
    bits += source.bits;
  }
  need(new Set(r.sources.map((source) => source.name)).size === r.sources.length, "同一个种子来源写了两次", file);
  const holders = new Set(items(r.secrets, file).map((one) => { raw(keys(one, "holder commit", file, true).commit, file); return text(one.holder, file); }));
  need(r.sources.length ? holders.size >= 2 && bits >= 80 : holders.size, "密值持有人少于规定，或者种子来源不足 80 比特", file);
  for (const task of items(r.tasks, file)) {
    ident(keys(task, "task pool_root pool_size excluded_root rounding minimum reserve", file, true).task, file);
    for (const name of ["pool_size", "minimum", "reserve"]) count(task[name], file);
    raw(task.pool_root, file);
    if (task.excluded_root !== null) raw(task.excluded_root, file);
    need(task.rounding === "ceil" || task.rounding === "lr", `任务 ${task.task} 的取整方式不是规定的`, file);
    need(own(task, "quota") !== sealed && own(task, "quota_commit") === sealed, `${file} 混用了公开与不公开两种方式`, file);
    if (sealed) raw(task.quota_commit, file);
    else checkQuota(task.quota, file);
  }
  need(r.tasks.length > 0 && new Set(r.tasks.map((task) => task.task)).size === r.tasks.length, "没有任务，或者同一任务写了两次", file);
  need(typeof r.suite === "string" && own(SUITES, r.suite), `摘要算法 ${r.suite} 不是规定的`, file);
  return { r, sealed, H: SUITES[r.suite] };
}
function checkQuota(quota, file) {
  for (const [stratum, entry] of Object.entries(dict(quota, file))) {
    const [kind, ...others] = Object.keys(dict(entry, file));
    need(text(stratum, file) && !others.length && (kind === "ppm" || kind === "count"), `层“${stratum}”的比例写法不合规定`, file);
    count(entry[kind], file, kind === "ppm" ? WHOLE : undefined);
  }
}
function checkValues(r, values, file) {
  need(items(values, file).length === r.sources.length, `${file} 的号码个数与承诺的种子来源不同`, file);
  let bits = values.length ? 0 : 80;
  r.sources.forEach((source, i) => {
    need(items(values[i], file).length === 3, `${file} 的第 ${i + 1} 个号码不合格式`, file);
    const [label, value, drawnAt] = values[i], wrong = `“${label}”的号码 ${value} 不合承诺的形状`;
    need(label === source.name && drawnAt === source.drawn_at, `第 ${i + 1} 个号码不是承诺的来源或日期：${label}`, file);
    if (value === "-") return; // not drawn within 72 hours
    need(typeof value === "string", wrong, file);
    const groups = value.split("/");
    need(groups.length === source.groups.length + 1 && groups.pop() === "", wrong, file);
    groups.forEach((group, k) => {
      const [many, low, high] = source.groups[k];
      const n = /^((0|[1-9][0-9]{0,9})\.)+$/.test(group) ? group.slice(0, -1).split(".").map(Number) : [];
      need(n.length === many && n.every((x, j) => x >= low && x <= high && (j === 0 || n[j - 1] < x)), wrong, file);
    });
    bits += source.bits;
  });
  need(bits >= 80, "开出的号码合计不足 80 比特", file);
}
function seedOf(H, r, digest, reveal) {
  const lines = [digest, ...reveal.sources.map((one) => `${one[0]}=${one[1]}`), ...reveal.secrets.map((one) => `secret=${one}`)];
  const S = H("ssj/1 seed\n", lines.map((line) => `${line}\n`).join(""));
  return { S, K: H("ssj/1 key\n", S, `draw/${r.round}`) };
}

// ---- 一项任务的抽取 / the draw of one task ----
function quotas(sizes, quota, rounding, minimum) { // all three are Maps by stratum: sizes, quota in; seats out
  for (const stratum of sizes.keys()) need(quota.has(stratum), `层“${stratum}”没有写比例`, "round.json");
  const seats = new Map(), size = (s) => sizes.get(s) ?? 0, ratio = [...quota].filter(([, entry]) => own(entry, "ppm"));
  for (const [s, entry] of quota) if (!own(entry, "ppm")) seats.set(s, Math.min(size(s), entry.count));
  const shares = ratio.map(([s, { ppm }]) => ({ s, size: size(s), share: size(s) * ppm, least: size(s) * ppm ? Math.min(size(s), minimum) : 0 }));
  const up = (x) => Math.floor(x / WHOLE) + (x % WHOLE ? 1 : 0), sum = (list) => list.reduce((a, b) => a + b, 0);
  for (const one of shares) one.n = Math.max(one.least, rounding === "ceil" ? up(one.share) : Math.floor(one.share / WHOLE));
  const total = Math.max(up(sum(shares.map((one) => one.share))), sum(shares.map((one) => one.least)));
  let more = rounding === "ceil" ? 0 : total - sum(shares.map((one) => one.n));
  for (; more; more -= Math.sign(more)) { // give to the largest, take from the smallest; ties: a later name gains, an earlier one loses
    const able = shares.filter((one) => (more > 0 ? one.n < one.size : one.n > one.least));
    able.sort((a, b) => a.share - a.n * WHOLE - (b.share - b.n * WHOLE) || byBytes(a.s, b.s));
    able.at(more > 0 ? -1 : 0).n += Math.sign(more);
  }
  for (const one of shares) seats.set(one.s, one.n);
  return seats;
}
const IN_ID = Uint8Array.from({ length: 256 }, (_, byte) => (ID.test(String.fromCharCode(byte)) && byte < 128 ? 1 : 0));
function countLines(data) {
  let lines = 0;
  for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) lines++;
  return lines;
}
function compareAt(a, i, b, j) { // codes of lines, byte by byte; what ends a code is smaller than all that is in one
  while (a[i] === b[j] && IN_ID[a[i]]) { i++; j++; }
  return (IN_ID[a[i]] ? a[i] : 0) - (IN_ID[b[j]] ? b[j] : 0);
}
function codeAt(data, at) {
  let code = "";
  while (IN_ID[data[at]]) code += String.fromCharCode(data[at++]);
  return code;
}
function* readPool(data, file, tick) {
  const n = countLines(data), start = new Uint32Array(n + 1), stratum = new Uint32Array(n), weight = new Uint32Array(n);
  const names = [], first = [], seen = new Map();
  let at = 0, line = 0;
  const refuse = (what) => need(false, what, `${file} 第 ${grouped(line + 1)} 行`);
  for (; line < n; line++) {
    if (line % CHUNK === 0) yield tick(CHUNK);
    const begin = start[line] = at;
    while (IN_ID[data[at]]) at++;
    if (data[at] !== 9 || at === begin || at > begin + 64) refuse("名录有一行不合格式");
    const open = ++at;
    let key = 0;
    while (data[at] !== 9 && data[at] !== 10) key = (Math.imul(key, 31) + data[at++]) | 0;
    if (data[at] !== 9 || at === open) refuse("名录有一行不合格式");
    while (seen.has(key) && !sameBytes(data, first[seen.get(key)], open, at - open + 1)) key++;
    if (!seen.has(key)) {
      seen.set(key, names.length);
      first.push(open);
      try { names.push(text(strict.decode(data.subarray(open, at)), file)); } catch { refuse("名录有一行的层不是合规的文字"); }
    }
    stratum[line] = seen.get(key);
    let digits = 0, value = 0;
    for (at++; data[at] >= 48 && data[at] <= 57 && digits < 7; at++, digits++) value = 10 * value + data[at] - 48;
    if (data[at] !== 10 || digits < 1 || digits > 6 || data[at - digits] === 48) refuse("名录有一行不合格式");
    weight[line] = value;
    at++;
    if (line && compareAt(data, start[line - 1], data, begin) >= 0) refuse("名录没有按代码排序，或者代码重复");
  }
  if (at !== data.length) refuse("名录最后一行没有换行");
  start[n] = at;
  return { data, n, start, stratum, weight, names };
}
function sameBytes(data, i, j, length) {
  for (let k = 0; k < length; k++) if (data[i + k] !== data[j + k]) return false;
  return true;
}
function* blocksRoot(H, data, start, n, tick) { // a leaf for each 256 lines
  const leaves = [];
  for (let line = 0; line < n; line += BLOCK) {
    if (line % CHUNK === 0) yield tick(CHUNK);
    leaves.push(H("\0", data.subarray(start[line], start[Math.min(n, line + BLOCK)])));
  }
  return hex(root(H, leaves));
}
function readExcluded(data, pool, file) {
  const gone = new Uint8Array(pool.n), n = countLines(data), start = new Uint32Array(n + 1);
  for (let line = 0, at = 0, entry = 0; line < n; line++) {
    const where = `${file} 第 ${grouped(line + 1)} 行`;
    start[line] = at;
    while (IN_ID[data[at]]) at++;
    need(data[at] === 10, "排除名单有一行不合格式", where);
    while (entry < pool.n && compareAt(pool.data, pool.start[entry], data, start[line]) < 0) entry++;
    need(entry < pool.n && compareAt(pool.data, pool.start[entry], data, start[line]) === 0, "排除名单有一行不在名录里，或者次序不对、重复", where);
    gone[entry++] = 1;
    start[line + 1] = ++at;
  }
  need(start[n] === data.length, "排除名单最后一行没有换行", file);
  return { gone, start, n };
}
// T = H(K || code); `key` gives T's first eight bytes divided by the weight, rounded down, as two 32-bit words: exact,
// since a remainder below 10^6 times 2^32 stays below 2^53.
function ticketer(H, K, pool) {
  const message = new Uint8Array(96);
  message.set(K);
  return (entry) => {
    let at = pool.start[entry], to = 32;
    while (IN_ID[pool.data[at]]) message[to++] = pool.data[at++];
    return H.words(message, 0, to);
  };
}
function divide(high, low, weight) {
  const rest = (high % weight) * 2 ** 32 + low;
  return [(high - (high % weight)) / weight, (rest - (rest % weight)) / weight];
}
function* ticketKeys(ticket, pool, tick) {
  const high = new Uint32Array(pool.n), low = new Uint32Array(pool.n);
  for (let entry = 0; entry < pool.n; entry++) {
    if (entry % CHUNK === 0) yield tick(2 * CHUNK);
    const T = ticket(entry), weight = pool.weight[entry];
    if (weight === 1) { high[entry] = T[0]; low[entry] = T[1]; } else [high[entry], low[entry]] = divide(T[0] >>> 0, T[1] >>> 0, weight);
  }
  function before(a, b) { // the order key; ties, which weights can make, by the whole ticket
    if (high[a] !== high[b]) return high[a] - high[b];
    if (low[a] !== low[b]) return low[a] - low[b];
    const one = Uint32Array.from(ticket(a)), two = Uint32Array.from(ticket(b)), k = one.findIndex((word, i) => word !== two[i]);
    return k < 0 ? 0 : one[k] - two[k];
  }
  return { high, before };
}
// Entries in order of `high`, by their lower 16 bits and then their upper 16 bits: ten times faster than a comparing sort.
function byHigh(members, high) {
  for (const shift of [0, 16]) {
    const place = new Uint32Array(65537), out = new Uint32Array(members.length);
    for (let i = 0; i < members.length; i++) place[((high[members[i]] >>> shift) & 65535) + 1]++;
    for (let i = 0; i < 65536; i++) place[i + 1] += place[i];
    for (let i = 0; i < members.length; i++) out[place[(high[members[i]] >>> shift) & 65535]++] = members[i];
    members = out;
  }
  return members;
}
function smallest(members, want, { high, before }) { // the `want` first of some entries in order: a threshold, then a sort of the few
  if (want <= 0) return [];
  if (want < members.length) {
    const sorted = new Uint32Array(members.length);
    for (let i = 0; i < sorted.length; i++) sorted[i] = high[members[i]];
    const edge = sorted.sort()[want - 1];
    members = members.filter((entry) => high[entry] <= edge);
  }
  if (members.length < 4096) return members.sort(before).subarray(0, want);
  members = byHigh(members, high);
  for (let from = 0, to = 1; from < members.length; from = to++) { // runs alike in `high`
    while (to < members.length && high[members[to]] === high[members[from]]) to++;
    if (to - from > 1) members.subarray(from, to).sort(before);
  }
  return members.subarray(0, want);
}
function* drawTask(H, task, K, files, tick) {
  const t = task.task, poolFile = `${t}/pool.tsv`, goneFile = `${t}/excluded.txt`;
  const pool = yield* readPool(files.pool, poolFile, tick);
  need(pool.n === task.pool_size, `名录有 ${grouped(pool.n)} 户，承诺的是 ${grouped(task.pool_size)} 户`, poolFile);
  const poolRoot = yield* blocksRoot(H, pool.data, pool.start, pool.n, tick);
  need(poolRoot === task.pool_root, "名录根不同：名录与抽取前承诺的不一样", poolFile, `公布 ${brief(task.pool_root)}　算出 ${brief(poolRoot)}`);
  need((files.excluded === null) === (task.excluded_root === null), "排除名单与承诺的排除名单根有一个缺失", goneFile);
  const excluded = readExcluded(files.excluded ?? new Uint8Array(0), pool, goneFile);
  need((excluded.n === 0) === (files.excluded === null), "排除名单是空的", goneFile);
  if (excluded.n) {
    const goneRoot = yield* blocksRoot(H, files.excluded, excluded.start, excluded.n, () => ({}));
    need(goneRoot === task.excluded_root, "排除名单根不同：排除名单与承诺的不一样", goneFile, `公布 ${brief(task.excluded_root)}　算出 ${brief(goneRoot)}`);
  }
  const ticket = ticketer(H, K, pool), order = yield* ticketKeys(ticket, pool, tick);
  const sizes = new Map(), groups = pool.names.map(() => ({ size: 0, n: 0 }));
  for (let entry = 0; entry < pool.n; entry++) { const group = groups[pool.stratum[entry]]; group.size++; group.n += 1 - excluded.gone[entry]; }
  groups.forEach((group, s) => { sizes.set(pool.names[s], group.size); group.members = new Uint32Array(group.n); group.n = 0; });
  for (let entry = 0; entry < pool.n; entry++) if (!excluded.gone[entry]) { const group = groups[pool.stratum[entry]]; group.members[group.n++] = entry; }
  const strata = new Map(), short = [];
  for (const [s, n] of quotas(sizes, new Map(Object.entries(task.quota)), task.rounding, task.minimum)) {
    const group = groups[pool.names.indexOf(s)] ?? { size: 0, members: new Uint32Array(0) };
    let top = 0, sum = 0, least = Infinity;
    for (const entry of group.members) { const w = pool.weight[entry]; sum += w; if (w > top) top = w; if (w < least) least = w; }
    need(top === least || !group.members.length || n * top < sum, `层“${s}”的权重相差太大`, poolFile);
    const codes = Array.from(smallest(group.members, n + task.reserve, order), (entry) => codeAt(pool.data, pool.start[entry]));
    strata.set(s, { size: group.size, available: group.members.length, quota: n, drawn: codes.slice(0, n), reserve: codes.slice(n) });
    if (group.members.length < n) short.push(`层“${s}”应抽 ${grouped(n)} 户，可抽的只有 ${grouped(group.members.length)} 户`);
    yield {};
  }
  return { task, pool, gone: excluded.gone, goneCount: excluded.n, ticket, order, before: order.before, groups, strata, short };
}

// ---- 各项检查 / the checks ----
const grouped = (n) => String(n).replace(/\B(?=([0-9]{3})+$)/g, ",");
const brief = (digest) => `${digest.slice(0, 8)}…${digest.slice(-6)}`;
const line = (tag, word, what, where = "", hash = "") => ({ line: { tag, word, what, where, hash } });
const ok = (what, where, hash) => line("ok", "一致", what, where, hash);
const compare = (what, where, hash) => line("off", "对照", what, where, hash);
const day = (time) => `${Number(time.slice(5, 7))}月${Number(time.slice(8, 10))}日 ${time.slice(11, 16)}`;
const inDays = (hours) => [hours >= 24 && `${Math.floor(hours / 24)} 天`, (hours % 24 || hours < 24) && `${hours % 24} 小时`].filter(Boolean).join(" ");

function* announced(read, H, r, digest, wanted) { // the digest, against the page and the announcement beside it (null where there is none)
  if (!wanted) yield compare("批次文件的指纹，请与存证日志里的对照", "round.json", digest);
  else {
    need(wanted === digest, "批次文件的指纹与本站公布的不同", "round.json", `公布 ${brief(wanted)}　算出 ${brief(digest)}`);
    yield ok("批次文件的指纹与本站公布的相同", r.suite === "sm3" ? "SM3" : "SHA-256", brief(digest));
  }
  let row = null;
  try { row = JSON.parse(strict.decode(yield { read })); } catch { /* an extra: without it two lines are left to the reader */ }
  return row !== null && typeof row === "object" && row.digest === digest ? row : null;
}
function* sourceLines(sources) {
  for (const [name, value, drawnAt] of sources) {
    const numbers = value.slice(0, -1).split("/").map((group) => group.slice(0, -1).replaceAll(".", " "));
    const shown = numbers.every((group) => !group.includes(" ")) ? numbers.join(" ") : numbers.join(" ＋ ");
    if (value === "-") yield compare(`“${name}”记为 72 小时内没有开出，请与开奖公告对照`, day(drawnAt));
    else yield compare(`“${name}”的号码，请与开奖公告对照`, `${day(drawnAt)} 开奖`, shown);
  }
}
// A whole open round. job: {round, digest} as the page has them, either may be "". Returns what lookup needs.
function* recompute(job) {
  const data = yield { read: "round.json" }, { r, sealed, H } = readRound(data), digest = hex(H(data));
  need(!job.round || r.round === job.round, `文件写的是 ${r.round} 轮，不是 ${job.round} 轮`, "round.json");
  need(!sealed, "这一轮不公开密值，网页上只能核对凭证", "round.json");
  yield ok(`批次文件合规：${r.tasks.length} 项任务，${r.sources.length} 个种子来源，${r.secrets.length} 个密值`, "round.json");
  const row = yield* announced("announcement", H, r, digest, job.digest);
  if (row && r.sources.length) {
    const first = r.sources.map((source) => source.drawn_at).sort()[0], hours = Math.floor((Date.parse(first) - Date.parse(row.committed_at)) / 3.6e6);
    need(hours >= 24, "承诺距第一次开奖不到 24 小时", `承诺 ${day(row.committed_at)}`);
    yield ok(`承诺早于开奖 ${inDays(hours)}，要求不少于 24 小时`, `承诺 ${day(row.committed_at)}`);
  }
  const reveal = keys(readJson(yield { read: "reveal.json" }, "reveal.json"), "sources secrets", "reveal.json");
  checkValues(r, reveal.sources, "reveal.json");
  yield* sourceLines(reveal.sources);
  need(items(reveal.secrets, "reveal.json").length === r.secrets.length, "密值的个数与承诺的不同", "reveal.json");
  reveal.secrets.forEach((secret, i) => {
    const found = hex(H(raw(secret, "reveal.json"))), wanted = r.secrets[i].commit;
    need(found === wanted, `${r.secrets[i].holder}公开的密值与事先公布的指纹不符`, "reveal.json", `公布 ${brief(wanted)}　算出 ${brief(found)}`);
  });
  yield ok(`${r.secrets.length} 个密值与事先公布的指纹相同（${r.secrets.map((one) => one.holder).join("、")}）`, "reveal.json");
  const { S, K } = seedOf(H, r, digest, reveal);
  yield line("off", "算出", `由${r.sources.length ? "号码和" : ""}密值算出种子和抽取密钥`, "规则 ssj/1 第 3 节", `种子 ${brief(hex(S))}　密钥 ${brief(hex(K))}`);
  const tasks = [], names = new Map((row?.tasks ?? []).map((task) => [task.code, task.name]));
  const total = 4 * r.tasks.reduce((sum, task) => sum + task.pool_size, 0);
  let done = 0, lines = 0;
  const tick = (work) => ({ progress: Math.min(1, (done += work) / total) });
  for (const task of r.tasks) {
    const name = names.get(task.task) ?? `任务 ${task.task}`;
    const files = { pool: yield { read: `${task.task}/pool.tsv` }, excluded: yield { read: `${task.task}/excluded.txt`, unless: task.excluded_root === null } };
    const found = yield* drawTask(H, task, K, files, tick);
    tasks.push(Object.assign(found, { name }));
    lines += found.pool.n + found.goneCount;
    const without = found.goneCount ? `其中排除 ${grouped(found.goneCount)} 户，两个根都相同` : "名录根相同";
    yield ok(`${name}：名录 ${grouped(found.pool.n)} 户，${without}`, `${grouped(Math.ceil(found.pool.n / BLOCK))} 块`, brief(task.pool_root));
    for (const words of found.short) yield line("half", "提示", `${name}：${words}`);
  }
  const published = yield { read: "result.json" }, theirs = readJson(published, "result.json");
  keys(theirs, tasks.map(({ task }) => task.task), "result.json");
  for (const { task, name, strata } of tasks) {
    sameStrata(strata, keys(theirs[task.task], "strata", "result.json").strata, name);
    const n = [...strata.values()].reduce((sum, stratum) => sum + stratum.drawn.length, 0);
    yield ok(`${name}：抽中 ${grouped(n)} 户，逐户、逐位次相同`, `${grouped(n)} / ${grouped(n)}`);
  }
  const result = canonical(new Map(tasks.map(({ task, strata }) => [task.task, { strata }])));
  need(result === strict.decode(published), "结果文件与重抽的不是逐字节相同", "result.json");
  const commit = hex(H("ssj/1 result\n", K, result));
  if (row?.result_commit) {
    need(row.result_commit === commit, "结果指纹与抽取当日公布的不同", "result.json", `公布 ${brief(row.result_commit)}　算出 ${brief(commit)}`);
    yield ok("结果指纹与抽取当日公布的相同", "result.json", brief(commit));
  } else yield compare("结果指纹，请与存证日志里的对照", "result.json", commit);
  if (row?.replacement?.done) yield* replaced(H, K, r, digest, tasks, row.replacement.done);
  return { r, H, digest, S: hex(S), K: hex(K), commit, result, tasks, lines, label: r.sources.length ? "公开可验证" : "内部可复核，不能证明结果未被挑选" };
}
// 补抽: who is struck from the register and was not visited before, by the next of the stratum that is not struck.
function* replaced(H, K, r, digest, tasks, told) {
  const file = "replacement.json", body = yield { read: file };
  const doc = keys(readJson(body, file), "spec round round_digest replace_on done_on struck kept tasks", file);
  need(doc.spec === "ssj/1" && doc.round === r.round && doc.round_digest === digest && doc.replace_on === r.replace_on, "补抽文件不是这一轮的", file);
  need(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(doc.done_on) && doc.done_on >= doc.replace_on, `补抽办理于 ${doc.done_on}，早于承诺的 ${doc.replace_on}`, file);
  for (const [code, said] of Object.entries(dict(doc.struck, file))) {
    const { status, known_at } = keys(said, "status known_at source", file);
    need(["注销", "吊销", "迁出"].includes(status) && TIME.test(known_at), `${code} 的登记状态不是注销、吊销或迁出`, file);
  }
  for (const code of items(doc.kept, file)) need(own(doc.struck, code), `${code} 没有写明登记状态`, file);
  need(canonical(doc.kept) === canonical([...new Set(doc.kept)].sort(byBytes)), "已检查的不是从小到大、各一次", file);
  keys(doc.tasks, tasks.map(({ task }) => task.task), file);
  let places = 0;
  for (const { task, name, pool, groups, order, strata } of tasks) {
    const mine = [], kept = new Set(doc.kept), free = (code) => !own(doc.struck, code);
    for (const s of [...strata.keys()].sort(byBytes)) {
      const row = strata.get(s), gone = row.drawn.filter((code) => !free(code) && !kept.has(code));
      let after = row.reserve.filter(free);
      if (after.length < gone.length && row.available > row.drawn.length + row.reserve.length) { // beyond the reserve the order goes on
        const { members } = groups[pool.names.indexOf(s)];
        after = Array.from(smallest(members, members.length, order), (entry) => codeAt(pool.data, pool.start[entry])).slice(row.drawn.length).filter(free);
      }
      gone.forEach((code, i) => mine.push([s, code, after[i] ?? null]));
      yield {};
    }
    need(canonical(mine) === canonical(doc.tasks[task.task]), `${name}：补抽的名单不同`, file);
    places += mine.length;
  }
  const commit = hex(H("ssj/1 replacement\n", K, body));
  need(told.commit === commit, "补抽指纹与公布的不同", file, `公布 ${brief(String(told.commit))}　算出 ${brief(commit)}`);
  yield ok(`补抽 ${grouped(places)} 户次，逐户相同，指纹与公布的相同`, file, brief(commit));
}
function sameStrata(mine, theirs, name) {
  keys(theirs, [...mine.keys()], "result.json");
  for (const [s, row] of mine) {
    const other = keys(theirs[s], "size available quota drawn reserve", "result.json");
    for (const [key, label] of [["size", "户数"], ["available", "可抽户数"], ["quota", "应抽户数"]])
      need(row[key] === other[key], `${name}：层“${s}”的${label}不同`, "result.json", `公布 ${other[key]}　算出 ${row[key]}`);
    for (const [key, label] of [["drawn", "抽中"], ["reserve", "候补"]]) {
      const codes = items(other[key], "result.json"), at = row[key].findIndex((code, i) => code !== codes[i]);
      const place = at < 0 && codes.length > row[key].length ? row[key].length : at;
      need(place < 0, `${name}：层“${s}”${label}的第 ${grouped(place + 1)} 位不同`, "result.json", `公布 ${codes[place] ?? "无"}　算出 ${row[key][place] ?? "无"}`);
    }
  }
}
// One code in every task of a recomputed round.
function* lookup(found, typed) {
  const tried = [typed, typed.toUpperCase()]; // codes tell small letters from capitals; people do not
  need(ID.test(typed), `“${typed}”不是代码。请输入统一社会信用代码，只含数字和字母`);
  let present = 0, drawn = 0;
  for (const { task, name, pool, gone, ticket, before, groups, strata } of found.tasks) {
    let entry = -1, below = 0;
    for (const code of tried) {
      const wanted = utf8.encode(`${code}\n`);
      let low = 0, high = pool.n;
      while (low < high) { const mid = (low + high) >> 1; if (compareAt(pool.data, pool.start[mid], wanted, 0) < 0) low = mid + 1; else high = mid; }
      below = low;
      if (low < pool.n && compareAt(pool.data, pool.start[low], wanted, 0) === 0) { entry = low; break; }
    }
    if (entry < 0) {
      const beside = [below - 1, below].filter((at) => at >= 0 && at < pool.n).map((at) => `第 ${grouped(at + 1)} 行 ${codeAt(pool.data, pool.start[at])}`);
      yield line("off", "不在", `${name}：不在名录里。名录按代码排序，它应当${beside.length > 1 ? "在这两行之间" : "紧邻这一行"}`, `共 ${grouped(pool.n)} 行`, beside.join("　"));
      continue;
    }
    present++;
    const code = codeAt(pool.data, pool.start[entry]), s = pool.names[pool.stratum[entry]], row = strata.get(s);
    yield line("ok", "在", `${name}：在名录里`, `第 ${grouped(entry + 1)} 行，第 ${grouped(Math.floor(entry / BLOCK) + 1)} 块`, codeText(pool, entry));
    let rank = 1;
    for (const other of groups[pool.stratum[entry]].members) if (before(other, entry) < 0) rank++;
    const layer = s === "*" ? "" : `层“${s}”`, place = `可抽的 ${grouped(row.available)} 户里排第 ${grouped(rank)} 位`, number = `抽取号 ${ticketHex(ticket(entry))}`;
    const spare = row.reserve.indexOf(code);
    if (gone[entry]) yield line("off", "排除", `${name}：按年度上限等规则列入排除名单，不参加抽取`, "", number);
    else if (row.drawn.includes(code)) { drawn++; yield line("ok", "抽中", `${name}：${layer}${place}，抽 ${grouped(row.quota)} 户，抽中`, `第 ${grouped(rank)} 位`, number); }
    else yield line("off", "未抽中", `${name}：${layer}${place}，抽 ${grouped(row.quota)} 户，没有抽中${spare < 0 ? "" : `，候补第 ${grouped(spare + 1)} 位`}`, `第 ${grouped(rank)} 位`, number);
  }
  return { present, drawn, total: found.tasks.length };
}
const codeText = (pool, entry) => strict.decode(pool.data.subarray(pool.start[entry], pool.start[entry + 1] - 1)).replaceAll("\t", "　");
const ticketHex = (words) => Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");

// A voucher against the public folder of its sealed round. job: {voucher: bytes, digest}.
function* voucher(job) {
  const v = keys(readJson(job.voucher, "凭证"), "spec round task code salt pool ticket drawn", "凭证");
  need(v.spec === "ssj/1", "凭证的 spec 不是规定的", "凭证");
  ident(v.round, "凭证"); ident(v.task, "凭证"); ident(v.code, "凭证");
  const data = yield { read: "round.json" }, { r, sealed, H } = readRound(data), digest = hex(H(data));
  const file = "public.json", public_ = keys(readJson(yield { read: file }, file), "round_digest result_commit sources tasks", file);
  raw(public_.result_commit, file);
  need(sealed && public_.round_digest === digest, "公开文件不是同一个不公开密值的轮次", file, `公布 ${brief(String(public_.round_digest))}　算出 ${brief(digest)}`);
  keys(public_.tasks, r.tasks.map((task) => task.task), file);
  for (const one of Object.values(public_.tasks)) { count(keys(one, "count ticket_root drawn_root", file).count, file); raw(one.ticket_root, file); raw(one.drawn_root, file); }
  checkValues(r, public_.sources, file);
  yield ok(`公开文件合规：${r.round} 轮，${r.tasks.length} 项任务`, "round.json、public.json");
  const row = yield* announced("announcement", H, r, digest, job.digest);
  yield* sourceLines(public_.sources);
  need(v.round === r.round, `凭证写的是 ${v.round} 轮，公开文件是 ${r.round} 轮`, "凭证");
  const task = r.tasks.find((one) => one.task === v.task);
  need(task, `凭证写的任务 ${v.task} 不在这一轮里`, "凭证");
  const result = public_.tasks[v.task], parts = [
    ["pool", task.pool_size, task.pool_root, `在抽取前承诺的名录里（共 ${grouped(task.pool_size)} 户）`, "名录"],
    ["ticket", task.pool_size, result.ticket_root, "抽取号在抽取时已经固定", "抽取号"],
    ["drawn", result.count, result.drawn_root, `确实被抽中（共抽中 ${grouped(result.count)} 户）`, "抽中"]];
  for (const [part] of parts) keys(v[part], "index size inner path", "凭证");
  need(v.pool.index === v.ticket.index, "名录和抽取号两个证明说的不是同一户", "凭证");
  for (const [part, size, top, what, label] of parts) {
    checkProof(H, v, v[part], size, top, label);
    yield ok(`${v.code} ${what}`, part === "drawn" ? `第 ${grouped(v[part].index + 1)} 个` : `第 ${grouped(v[part].index + 1)} 户`, brief(top));
  }
  if (row?.result_commit) {
    need(row.result_commit === public_.result_commit, "结果指纹与抽取当日公布的不同", file);
    yield ok("结果指纹与抽取当日公布的相同", file, brief(public_.result_commit));
  } else yield compare("结果指纹，请与存证日志里的对照", file, public_.result_commit);
  return { code: v.code, task: row?.tasks?.find((one) => one.code === v.task)?.name ?? v.task, round: r.round };
}
function checkProof(H, v, proof, wanted, top, label) {
  need(count(proof.size, "凭证") === wanted && count(proof.index, "凭证") < wanted, `${label}的证明户数不符：凭证 ${proof.size}，公布 ${wanted}`, "凭证");
  const path = items(proof.path, "凭证").map((one) => raw(one, "凭证"));
  let node = H("\0", raw(v.salt, "凭证"), v.code, raw(proof.inner, "凭证")), index = proof.index, used = 0;
  for (let size = wanted; size > 1; size = Math.floor((size + 1) / 2), index = Math.floor(index / 2)) {
    const left = index % 2 === 1;
    if ((left ? index - 1 : index + 1) >= size) continue; // promoted
    need(used < path.length, `${label}的证明太短`, "凭证");
    const sibling = path[used++];
    node = left ? H("\x01", sibling, node) : H("\x01", node, sibling);
  }
  need(used === path.length && hex(node) === top, `${label}的证明对不上公布的根`, "凭证", `公布 ${brief(top)}　算出 ${brief(hex(node))}`);
}

// ---- 运行 / running steps: at full speed, or giving the page its turn every few milliseconds ----
async function drive(steps, { read, tell = () => {}, slices = false }) {
  let step = steps.next(), since = performance.now();
  while (!step.done) {
    if (step.value.read) {
      let bytes = null, failed = null;
      try { bytes = await read(step.value.read, step.value.unless === true); } catch (error) { failed = error; }
      step = failed ? steps.throw(failed) : steps.next(bytes);
      continue;
    }
    tell(step.value);
    if (slices && performance.now() - since > 24) {
      await new Promise((go) => { setTimeout(go); });
      since = performance.now();
    }
    step = steps.next();
  }
  return step.value;
}
const memory = { base: null, files: new Map(), found: null }; // of the round worked on last: a second look needs no network
async function fetched(address, name) {
  if (!memory.files.has(address)) {
    let answer = null;
    try { answer = await fetch(address); } catch { /* no network, or a page opened from a disk */ }
    if (!answer?.ok) throw Object.assign(new Error(`读不到文件 ${name}${answer ? `（${answer.status}）` : "，请检查网络；从本机文件打开的网页不能读取，请经网站打开"}`), { where: name, unread: true });
    memory.files.set(address, new Uint8Array(await answer.arrayBuffer()));
  }
  return memory.files.get(address);
}
// The same directory with the last character of one code changed, and what was changed in words.
function changed(bytes, name) {
  const wanted = Math.floor(countLines(bytes) * 0.4), copy = bytes.slice();
  let at = 0;
  for (let line = 0; line < wanted; line++) at = copy.indexOf(10, at) + 1;
  while (IN_ID[copy[at + 1]]) at++;
  const was = copy[at], next = was === 57 || was === 90 || was === 122 ? was - 1 : was + 1;
  copy[at] = IN_ID[next] ? next : 48;
  const [from, to] = [was, copy[at]].map((byte) => String.fromCharCode(byte));
  return { copy, what: `把第 ${grouped(wanted + 1)} 行的代码末位由 ${from} 改成 ${to}，再算一次`, where: name, block: `第 ${grouped(Math.floor(wanted / BLOCK) + 1)} 块` };
}
// job: {kind: recompute | lookup | voucher, base, announcement, round, digest, ...}; tells lines and progress, gives the end.
async function perform(job, tell, slices) {
  if (memory.base !== job.base) Object.assign(memory, { base: job.base, files: new Map(), found: null });
  let trial = null;
  async function read(path, unless) {
    if (unless) return null;
    if (path === "announcement") return fetched(job.announcement, path);
    const bytes = await fetched(job.base + path.replaceAll("#", "_"), path);
    if (!job.tamper || trial || !path.endsWith("/pool.tsv")) return bytes;
    trial = changed(bytes, path);
    tell(line("off", "试改", trial.what, trial.where));
    return trial.copy;
  }
  try {
    if (job.kind === "voucher") return { ok: true, ...(await drive(voucher(job), { read, tell, slices })) };
    if (job.kind === "recompute") memory.found = null;
    const found = memory.found ?? (await drive(recompute(job), { read, slices, tell: (step) => (step.line && job.kind === "lookup" ? null : tell(step)) }));
    if (!job.tamper) memory.found = found;
    if (job.kind === "lookup") return { ok: true, ...(await drive(lookup(found, job.code), { tell, slices })) };
    return { ok: true, label: found.label, lines: found.lines };
  } catch (error) {
    const known = error.where !== undefined, what = known ? error.message : `文件内容无法处理：${error.message}`;
    tell(line("bad", error.unread ? "读不到" : "不一致", what, trial ? trial.block : error.where, error.hash));
    tell(line("off", "未算", "其余各项不再计算", "到此为止"));
    return { ok: false, what, where: error.where ?? "", unread: error.unread === true };
  }
}

// ---- 网页 / the page (the places it works on: see the template) ----
function startPage(program) {
  const at = (id) => document.getElementById(id), asked = new URLSearchParams(location.search);
  const form = at("recompute"), chooser = form?.elements.round, buttons = document.querySelectorAll("#recompute button,#lookup button,#voucher button");
  let worker = null, refused = false, busy = false;

  function ask(job, hear) {
    if (!worker && !refused) try { worker = new Worker(program); } catch { refused = true; }
    if (refused) return perform(job, hear, true);
    return new Promise((done) => {
      worker.onmessage = ({ data }) => (data.end ? done(data.end) : hear(data));
      worker.onerror = (event) => { // no worker here after all: from the start, on the page itself
        event.preventDefault();
        worker = null;
        refused = true;
        hear({ again: true });
        done(perform(job, hear, true));
      };
      worker.postMessage(job);
    });
  }
  const element = (name, words, className = "") => Object.assign(document.createElement(name), { textContent: words, className });
  function lineItem({ tag, word, what, where, hash }) {
    const item = element("li", "", tag === "bad" ? "bad" : ""), middle = element("span", what);
    if (hash) middle.append(element("small", hash, "hash"));
    item.append(element("span", word, `tag ${tag}`), middle, element("small", where));
    return item;
  }
  function say(summary, className, strong, words = "") {
    summary.className = className;
    summary.replaceChildren(element("b", strong), words);
  }
  // Runs a job, its lines into `list`, and gives its end with counts; null while another runs.
  async function run(job, summary, list, onProgress = () => {}) {
    if (busy) return null;
    busy = true;
    const began = performance.now(), counts = { 一致: 0, 对照: 0 };
    const clear = () => { list.replaceChildren(); list.hidden = true; counts.一致 = counts.对照 = 0; };
    clear();
    say(summary, "dim", "", "正在计算……");
    for (const button of buttons) button.disabled = true;
    const end = await ask(job, (step) => {
      if (step.again) clear();
      if (step.progress !== undefined) onProgress(step.progress);
      if (!step.line) return;
      if (step.line.word in counts) counts[step.line.word]++;
      list.append(lineItem(step.line));
      list.hidden = false;
    });
    for (const button of buttons) button.disabled = false;
    busy = false;
    return Object.assign(end, { counts, time: spent((performance.now() - began) / 1000) });
  }
  function jobOf(kind, rounds, round, more) {
    const folder = new URL(`${rounds}${round.replaceAll("#", "_")}/`, document.baseURI).href;
    const announcement = new URL(`${rounds}../tasks/${round.replaceAll("#", "_")}.json`, document.baseURI).href;
    const option = chooser && [...chooser.options].find((one) => one.value === round);
    return { kind, base: folder, announcement, round, digest: option?.dataset.digest ?? "", ...more };
  }
  const spent = (seconds) => (seconds < 0.1 ? "用时不到 0.1 秒" : `用时 ${seconds.toFixed(1)} 秒`);
  const wrong = (end) => `${end.what}${end.where && !end.what.includes(end.where) ? `（${end.where}）` : ""}。`;

  async function recomputeChosen(tamper) {
    const progress = at("progress"), summary = at("summary");
    progress.value = 0;
    progress.hidden = false;
    const end = await run(jobOf("recompute", form.dataset.rounds, chooser.value, { tamper }), summary, at("lines"), (value) => { progress.value = value; });
    if (!end) return;
    progress.hidden = true;
    const { 一致: same, 对照: yours } = end.counts;
    if (end.ok) say(summary, "note ok", `${same} 项一致，0 项不一致。`, `${yours ? `另有 ${yours} 项请您自己对照。` : ""}本轮属于“${end.label}”。读取 ${grouped(end.lines)} 行，${end.time}。`);
    else if (end.unread) say(summary, "note bad", "没有算完。", wrong(end));
    else if (tamper) say(summary, "note", "改一个字，核验就发现了。", `${same} 项一致，1 项不一致：${end.what}。公布的文件没有变，再按“重新计算”即可看到。`);
    else say(summary, "note bad", `${same} 项一致，1 项不一致。`, `${wrong(end)}请用核验程序再算一次，并告诉本局或者上级机关。`);
  }
  form?.addEventListener("submit", (event) => { event.preventDefault(); if (chooser.value) recomputeChosen(false); });
  at("tamper")?.addEventListener("click", () => { if (chooser.value) recomputeChosen(true); });

  at("lookup")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const summary = at("lookup-summary"), code = event.target.elements.code.value.normalize("NFKC").replace(/\s+/gu, "");
    if (!chooser?.value) return say(summary, "note", "现在还没有密值已公开的轮次可以查。");
    if (!ID.test(code)) return say(summary, "note warn", "请输入统一社会信用代码。", "代码只含数字和字母，共 18 位；在营业执照上。");
    const end = await run(jobOf("lookup", form.dataset.rounds, chooser.value, { code }), summary, at("lookup-lines"));
    if (!end) return;
    if (!end.ok) say(summary, "note bad", end.unread ? "没有查成。" : "这一轮重算不一致，不能据以查询。", wrong(end));
    else if (!end.present) say(summary, "note", `${code} 不在这一轮的名录里。`, `已重算整轮，查了 ${end.total} 项任务，${end.time}。`);
    else say(summary, "note", `${code} 在 ${end.present} 项任务的名录里，${end.drawn ? `${end.drawn} 项抽中` : "都没有抽中"}。`, `已重算整轮，各项一致，${end.time}。`);
  });

  at("voucher")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const summary = at("voucher-summary"), file = event.target.elements.voucher.files[0];
    if (!file) return say(summary, "note warn", "请先选择凭证文件。", "文件名一般是 voucher.json。");
    if (file.size > WHOLE) return say(summary, "note bad", "这不是抽取凭证。", `文件“${file.name}”太大。`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    let round = "";
    try { round = JSON.parse(strict.decode(bytes)).round; } catch { /* the check itself says what is wrong with the file */ }
    const job = jobOf("voucher", event.target.dataset.rounds, typeof round === "string" && ID.test(round) ? round : "-", { voucher: bytes });
    const end = await run(job, summary, at("voucher-lines"));
    if (!end) return;
    if (end.ok) say(summary, "note ok", "凭证成立。", `${end.code} 在“${end.task}”抽取前承诺的名录里，抽取号早已固定，确实被抽中（${end.round} 轮）。${end.time}。`);
    else if (end.unread) say(summary, "note bad", "没有核对成。", `${wrong(end)}请核对凭证上的轮次是否在本站公布。`);
    else say(summary, "note bad", "凭证不成立。", `${wrong(end)}请持通知书原件向本局或者上级机关询问。`);
  });

  for (const one of document.querySelectorAll("[data-script]")) one.hidden = false;
  for (const one of document.querySelectorAll("[data-noscript]")) one.hidden = true;
  const wanted = asked.get("round"), ready = chooser && [...chooser.options].some((option) => option.value === wanted && !option.disabled);
  if (ready) chooser.value = wanted;
  if (asked.get("run") === "1" && wanted) {
    if (ready) recomputeChosen(false);
    else say(at("summary"), "note warn", "这一轮现在不能重算。", "密值公开以后才能重算；不公开密值的轮次请核对凭证。");
  }
}

if (typeof document === "undefined") self.onmessage = async ({ data }) => postMessage({ end: await perform(data, (step) => postMessage(step), false) });
else if (document.getElementById("summary")) startPage(document.currentScript.src);
globalThis.ssj1 = Object.freeze({ ...SUITES, hex, canonical, readJson, readRound, checkValues, quotas, divide, recompute, lookup, voucher, drive });
})();
