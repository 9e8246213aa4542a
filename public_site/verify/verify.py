#!/usr/bin/env python3
"""抽取复核程序：只用 Python 标准库，照公开规范 ssj/1 从头重抽一轮，不用抽取系统的任何代码。
Draws one round (specification ssj/1) again from its files; shares no code with the portal.
    python3 verify.py BUNDLE [ROUND-DIGEST]    复核抽取文件夹，可附日志登记的轮次摘要 / a round's folder
    python3 verify.py VOUCHER PUBLIC-FOLDER    复核抽取凭证 / a voucher against the round's public folder
每项检查一行 OK 或 FAIL，遇到第一个 FAIL 即停止并以 1 退出；“--”开头的行供参考。
One OK or FAIL line per check, exit 1 at the first FAIL; lines that begin with "--" are for information."""
import datetime, hashlib, json, math, pathlib, re, sys, unicodedata  # noqa: E401 (all that this program stands on)
ID, HEX, WHOLE = re.compile("[0-9A-Za-z#_-]{1,64}"), re.compile("[0-9a-f]{64}"), 1_000_000
TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\+08:00")
LINE = re.compile(rb"([0-9A-Za-z#_-]{1,64})\t([^\t\n]+)\t([1-9][0-9]{0,5})\n")  # code, stratum, weight
# ---- 格式 / the format: each function gives its value back, or refuses it ----
def need(fine, why, value=None):
    if not fine: raise ValueError(why)
    return value
def canonical(value): return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
def whole(text): return int(need(re.fullmatch("-?[0-9]{1,16}", text) and abs(int(text)) < 2**53, f"number {text}", text))
def read_json(data):  # one with a key twice, or a control character, is not canonical either
    value = json.loads(data.decode(), parse_float=whole, parse_constant=whole, parse_int=whole)
    return need(canonical(value) == data and not re.search(rb'\\[^"\\]', data.replace(rb"\\", b"")), "not canonical JSON", value)
def keys(value, names, more=False):
    return need(type(value) is dict and set(value) >= (wanted := set(names.split())) and (more or wanted == set(value)), names, value)
def items(value): return need(type(value) is list, "not a list", value)
def count(value, top=2**53 - 1): return need(type(value) is int and 0 <= value <= top, f"not a count: {value}", value)
def ident(value): return need(type(value) is str and ID.fullmatch(value), f"not an id: {value}", value)
def raw(value): return bytes.fromhex(need(type(value) is str and HEX.fullmatch(value), f"not 64 hex: {value}", value))
def text(value):  # NFC, not empty, no control or format characters, no white space at its ends
    need(value and value == value.strip() and unicodedata.is_normalized("NFC", value), "not a text")
    return need(not {"Cc", "Cf", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, value)), "a hidden character", value)
def moment(value): return need((m := TIME.fullmatch(value)) and datetime.date.fromisoformat(m[1]), f"time {value}", value)
def hasher(suite):
    need(suite in {"sha256", "sm3"} & hashlib.algorithms_available, f"算法不认识，或本机没有 SM3 / unknown, or no SM3 here: {suite}")
    return lambda data: hashlib.new("sm3", data).digest() if suite == "sm3" else hashlib.sha256(data).digest()
def root(H, leaves):  # an odd node goes up unchanged
    while len(leaves) > 1: leaves = [H(b"\1" + a + b) for a, b in zip(leaves[::2], leaves[1::2])] + leaves[len(leaves) // 2 * 2:]
    return leaves[0] if leaves else H(b"")
# ---- 轮次与种子 / the round and its seed ----
def read_round(data):
    r = keys(read_json(data), "spec suite round disclosure sources secrets draw_not_before tasks", more=True)
    need(r["spec"] == "ssj/1" and r["disclosure"] in ("open", "sealed") and ident(r["round"]), "spec or disclosure")
    sealed, latest, bits = r["disclosure"] == "sealed", moment(r["draw_not_before"]), 0
    need(raw(r["salt_commit"]) if sealed else "salt_commit" not in r, "open and sealed are mixed")
    for source in items(r["sources"]):
        ways, groups = 1, items(keys(source, "name bits drawn_at groups", more=True)["groups"])
        need(text(source["name"]) and moment(source["drawn_at"]) < latest and groups, "drawn before its source")
        for many, low, high in map(items, groups):  # 1000 and 10^9 only keep a hostile file from costing hours
            need(1 <= count(many, 1000) <= count(high, 10**9) - count(low) + 1, "impossible group")
            ways *= math.comb(high - low + 1, many)
        bits += need(count(source["bits"]) == ways.bit_length() - 1, f"bits of {source['name']}", source["bits"])
    need(len({source["name"] for source in r["sources"]}) == len(r["sources"]), "a source is named twice")
    holders = {text(keys(s, "holder commit", more=True)["holder"]) for s in items(r["secrets"]) if raw(s["commit"])}
    need(len(holders) >= 2 and bits >= 80 if r["sources"] else holders, "needs 80 bits and two holders, or a secret")
    for task in items(r["tasks"]):
        keys(task, "task pool_root pool_size excluded_root rounding minimum reserve", more=True)
        ident(task["task"]), count(task["pool_size"]), count(task["minimum"]), count(task["reserve"]), raw(task["pool_root"])
        need(task["rounding"] in ("ceil", "lr") and (task["excluded_root"] is None or raw(task["excluded_root"])), "rounding")
        need(("quota" in task) != ("quota_commit" in task) == sealed, "open and sealed are mixed")
        raw(task["quota_commit"]) if sealed else check_quota(task["quota"], sealed)
    need(len({task["task"] for task in r["tasks"]}) == len(r["tasks"]) > 0, "no task, or one named twice")
    return r, sealed, hasher(r["suite"])
def check_quota(quota, sealed):
    for stratum, ((kind, n),) in [(stratum, entry.items()) for stratum, entry in quota.items()]:
        need(text(stratum) and kind in ("ppm", "count") and count(n, WHOLE if kind == "ppm" else 2**53 - 1) >= 0, "quota")
        need(not sealed or stratum == "*" or n and (kind, n) != ("ppm", WHOLE), "none or all of a class in a sealed round")
    return quota
def check_values(r, values):
    need(len(items(values)) == len(r["sources"]), "not as many sources as committed")
    bits = 80 * (not values)
    for source, (label, value, drawn_at) in zip(r["sources"], map(items, values)):
        need((label, drawn_at) == (source["name"], source["drawn_at"]), f"not the committed source: {label}")
        if value == "-": continue  # not drawn within 72 hours
        need(len(groups := value.split("/")) == len(source["groups"]) + 1 and groups[-1] == "", f"shape: {value}")
        for group, (many, low, high) in zip(groups, source["groups"]):
            n = [int(number) for number in group[:-1].split(".") if re.fullmatch(r"((0|[1-9][0-9]{0,9})\.)+", group)]
            need(n == sorted(set(n)) and len(n) == many and low <= n[0] and n[-1] <= high, f"shape: {value}")
        bits += source["bits"]
    need(bits >= 80, "fewer than 80 bits were drawn")
# ---- 一项任务的抽取 / the draw of one task ----
def quotas(sizes, quota, rounding, minimum):
    need(set(sizes) <= set(quota), "a stratum without quota")
    size = {s: sizes.get(s, 0) for s in quota}
    share = {s: size[s] * quota[s]["ppm"] for s in quota if "ppm" in quota[s]}
    least = {s: min(size[s], minimum) if share[s] else 0 for s in share}
    counted = {s: min(size[s], quota[s]["count"]) for s in quota if s not in share}
    if rounding == "ceil": return counted | {s: max(least[s], -(-share[s] // WHOLE)) for s in share}
    n, total = {s: max(least[s], share[s] // WHOLE) for s in share}, -(-sum(share.values()) // WHOLE)
    while more := max(total, sum(least.values())) - sum(n.values()):  # give to the largest, take from the smallest
        able = [s for s in share if (n[s] < size[s] if more > 0 else n[s] > least[s])]
        rank = sorted((share[s] - n[s] * WHOLE, s.encode(), s) for s in able)  # ties: later gains, earlier loses
        n[rank[-1 if more > 0 else 0][2]] += 1 if more > 0 else -1
    return counted | n
def draw(H, task, K, salt_key, pool, excluded, quota_file):
    rows = [(m[1], m[2].decode(), int(m[3]), m[0]) for m in LINE.finditer(pool)]
    need(b"".join(row[3] for row in rows) == pool and all(map(text, {row[1] for row in rows})), "pool.tsv: bad line")
    need(all(a[0] < b[0] for a, b in zip(rows, rows[1:])) and len(rows) == task["pool_size"], "pool.tsv: order or size")
    *gone, end = (excluded or b"").split(b"\n")
    need(end == b"" and gone == sorted(set(gone)) and set(gone) <= {row[0] for row in rows}, "excluded.txt: bad line")
    need((excluded is None) == (task["excluded_root"] is None) == (not gone), "excluded.txt or its root is missing")
    tail = b"\n" + salt_key + task["task"].encode() + b"\n"
    def tree(entries, mark=None):  # sealed: a salted leaf per entry; open: a leaf per 256 lines
        if not salt_key:
            return root(H, [H(b"\0" + b"".join(e[1] for e in entries[i:i + 256])) for i in range(0, len(entries), 256)]).hex()
        inner = (H(b"\2" + H(b"ssj/1 salt2" + tail + code) + (mark or line)) for code, line in entries)
        return root(H, [H(b"\0" + H(b"ssj/1 salt" + tail + e[0]) + e[0] + i) for e, i in zip(entries, inner)]).hex()
    need(tree([(row[0], row[3]) for row in rows]) == task["pool_root"], "pool.tsv does not give pool_root")
    need(not gone or tree([(c, c + b"\n") for c in gone], b"excluded\n") == task["excluded_root"], "not excluded_root")
    quota = check_quota(read_json(quota_file), True) if salt_key else task["quota"]
    need(H(b"ssj/1 quota" + tail + canonical(quota)).hex() == task.get("quota_commit") or not salt_key, "not quota_commit")
    sizes, order, gone, strata = {}, {s: [] for s in quota}, set(gone), {}
    tickets = [H(K + row[0]) for row in rows]
    for (code, s, weight, _), T in zip(rows, tickets):
        sizes[s] = sizes.get(s, 0) + 1
        order.setdefault(s, []).extend([(int.from_bytes(T[:8], "big") // weight, T, code, weight)] * (code not in gone))
    for s, n in quotas(sizes, quota, task["rounding"], task["minimum"]).items():
        order[s].sort()
        weights, codes = [e[3] for e in order[s]], [e[2].decode() for e in order[s][:n + task["reserve"]]]
        need(len(set(weights)) < 2 or n * max(weights) < sum(weights), f"weights too unequal in {s}")
        strata[s] = dict(size=sizes.get(s, 0), available=len(weights), quota=n, drawn=codes[:n], reserve=codes[n:])
    drawn = [(code.encode(), b"") for code in sorted(code for row in strata.values() for code in row["drawn"])]
    sealed = salt_key and {"ticket_root": tree([(row[0], row[3] + T) for row, T in zip(rows, tickets)])}
    return {"strata": strata, **sealed, "drawn_root": tree(drawn, b"drawn\n")} if sealed else {"strata": strata}, order
def replace(order, strata, gone, kept):  # 补抽: who is struck, in drawn order, by the next of the stratum that is not
    for s in sorted(strata, key=str.encode):
        after = (e[2].decode() for e in order[s][len(strata[s]["drawn"]):] if e[2].decode() not in gone)
        yield from ([s, code, next(after, None)] for code in strata[s]["drawn"] if code in gone and code not in kept)
# ---- 人员匹配 / inspectors to visits ----
def assign(H, doc):
    K, caps, slots = raw(doc["K"]), {ident(i): count(cap) for i, cap in doc["caps"].items()}, doc["slots"]
    need(all(ident(visit) and len(items(slots[visit])) >= 2 for visit in slots), "a visit needs two slots")
    need(all(len(set(items(s))) == len(s) and set(s) <= set(caps) for v in slots for s in slots[v]), "candidates")
    order = sorted(((v, n) for v in slots for n in range(len(slots[v]))), key=lambda o: (o[1], H(K + o[0].encode())))
    wish = {(v, n): sorted(slots[v][n], key=lambda i: (H(K + f"{v}|{i}".encode()), i)) for v, n in order}
    place, holder, held, raised = {slot: i for i, slot in enumerate(order)}, {}, {i: set() for i in caps}, {}
    for start in order:
        path, seen = [], True
        while seen and not path:  # search, breadth first, a chain of hand-overs to somebody below the cap
            came, queue, seen = {start: None}, [start], {}
            for slot, i in ((slot, i) for slot in queue for i in wish[slot]):  # the queue grows while it is read
                others = [other for other in held[i] if other[0] == slot[0]]  # i is on this visit already
                if not others and i not in seen:
                    seen[i], others = True, sorted(held[i], key=place.get)
                    if len(others) < caps[i]:
                        path = [(slot, i)]
                        while came[path[-1][0]]: path.append(came[path[-1][0]])
                        break
                others = [other for other in others if other not in came]
                queue += others
                came.update(dict.fromkeys(others, (slot, i)))
            for i in () if path else seen: caps[i], raised[i] = caps[i] + 1, raised.get(i, 0) + 1
        for slot, _ in path: held.get(holder.get(slot), set()).discard(slot)
        for slot, i in path: held[i].add(slot)
        holder.update(path)
    return {"assigned": {visit: [holder.get((visit, n)) for n in range(len(slots[visit]))] for visit in slots},
            "raised": raised, "unfilled": [list(slot) for slot in order if slot not in holder]}
# ---- 凭证与各项检查 / vouchers, and the checks: each yields its title first, then does its work ----
def check_voucher(r, H, public, v):
    keys(v, "spec round task code salt pool ticket drawn")
    need((v["spec"], v["round"], v["pool"]["index"]) == ("ssj/1", r["round"], v["ticket"]["index"]), "not of this round")
    task, result = {task["task"]: task for task in r["tasks"]}[v["task"]], public["tasks"][v["task"]]
    for part, size, top in (("pool", task["pool_size"], task["pool_root"]), ("drawn", result["count"], result["drawn_root"]),
                            ("ticket", task["pool_size"], result["ticket_root"])):
        proof = keys(v[part], "index size inner path")
        need(count(proof["size"]) == size and count(proof["index"]) < size, f"{part}: size")
        index, path = proof["index"], [raw(sibling) for sibling in items(proof["path"])]
        node = H(b"\0" + raw(v["salt"]) + ident(v["code"]).encode() + raw(proof["inner"]))
        while size > 1:
            if index ^ 1 < size: node = H(b"\1" + path.pop(0) + node if index & 1 else b"\1" + node + path.pop(0))
            index, size = index // 2, (size + 1) // 2
        need(not path and node.hex() == top, f"{part}: the path does not lead to its root")
def bundle(folder, logged):
    yield "轮次文件合规 / round.json is well-formed"
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if not path.is_dir()}
    def read(name): return files.pop(name, folder / name).read_bytes()  # what is left in `files` was not looked at
    (r, sealed, H), result, order = read_round(data := read("round.json")), {}, {}
    yield f"-- 轮次 / round {r['round']}, 摘要 / digest {(digest := H(data).hex())}"
    if logged is not None: yield "轮次摘要与日志登记一致 / the round's digest is the logged one"
    need(logged is None or logged == digest, f"logged: {logged}")
    yield "种子来源与秘密符合事先承诺 / reveal.json opens the commitments"
    reveal = keys(read_json(read("reveal.json")), "sources secrets" + " salt_key" * sealed)
    check_values(r, reveal["sources"])
    need([H(raw(s)).hex() for s in items(reveal["secrets"])] == [s["commit"] for s in r["secrets"]], "not the secrets")
    salt_key = raw(reveal["salt_key"]) if sealed else b""
    need(not sealed or H(salt_key).hex() == r["salt_commit"], "not the salt_key")
    lines = [digest, *(f"{s[0]}={s[1]}" for s in reveal["sources"]), *(f"secret={s}" for s in reveal["secrets"])]
    S = H(b"ssj/1 seed\n" + "".join(line + "\n" for line in lines).encode())
    K, K_assign = (H(b"ssj/1 key\n" + S + f"{use}/{r['round']}".encode()) for use in ("draw", "assign"))
    for t, task in ((task["task"], task) for task in r["tasks"]):
        yield f"任务 {t} 的名录与承诺一致，已重抽 / task {t}: files as committed, drawn again"
        pool, excluded = read(f"{t}/pool.tsv"), read(f"{t}/excluded.txt") if f"{t}/excluded.txt" in files else None
        result[t], order[t] = draw(H, task, K, salt_key, pool, excluded, sealed and read(f"{t}/quota.json"))
        for s, row in result[t]["strata"].items():
            if (n := len(row["drawn"])) < row["quota"]: yield f"-- 可抽不足 / too few available: {s}: {n} of {row['quota']}"
    yield "抽取结果与重抽一致 / result.json is what the draw gives"
    need(read("result.json") == canonical(result), "result.json differs")
    yield "-- 请与日志核对 / compare with the log: result_commit " + (commit := H(b"ssj/1 result\n" + (salt_key or K) + canonical(result)).hex())
    if "replacement.json" in files:
        yield "补抽与重算一致 / replacement.json is what the order gives"
        doc = keys(read_json(body := read("replacement.json")), "spec round round_digest replace_on done_on struck kept tasks")
        need(doc == doc | {"spec": "ssj/1", "round": r["round"], "round_digest": digest, "replace_on": r["replace_on"]}, "not this round's")
        need(doc["replace_on"] <= str(datetime.date.fromisoformat(doc["done_on"])) == doc["done_on"], "before its day")
        for c, e in doc["struck"].items():
            need(ident(c) and moment(keys(e, "status known_at source")["known_at"]) and e["status"] in ("注销", "吊销", "迁出"), c)
        again = {t: list(replace(order[t], entry["strata"], doc["struck"], items(doc["kept"]))) for t, entry in result.items()}
        need(canonical(doc["tasks"]) == canonical(again) and doc["kept"] == sorted(set(doc["struck"]) & set(doc["kept"])), "replacement.json differs")
        yield "-- 请与日志核对 / compare with the log: replacement_commit " + H(b"ssj/1 replacement\n" + (salt_key or K) + body).hex()
    if "slots.json" in files or "assigned.json" in files:
        yield "人员匹配与重算一致 / assigned.json is what slots.json gives"
        doc = keys(read_json(read("slots.json")), "suite K slots caps")
        own = all(visit.startswith(r["round"] + "_") for visit in doc["slots"])
        need(own and (doc["suite"], doc["K"]) == (r["suite"], K_assign.hex()), "slots.json is not of this round")
        need(read("assigned.json") == canonical(assign(H, doc)), "assigned.json differs")
    if sealed:
        counts = {t: {"count": sum(len(row["drawn"]) for row in entry["strata"].values())} for t, entry in result.items()}
        tasks = {t: counts[t] | {name: entry[name] for name in ("ticket_root", "drawn_root")} for t, entry in result.items()}
        public = {"round_digest": digest, "result_commit": commit, "sources": reveal["sources"], "tasks": tasks}
        if any(name.startswith("public/") for name in files):
            yield "公开文件夹与重抽一致 / public/ is what the draw gives"
            need(read("public/round.json") == data and read("public/public.json") == canonical(public), "public/ differs")
        for name in [name for name in files if re.fullmatch(r"voucher-(0|[1-9][0-9]*)\.json", name)]:
            yield f"抽取凭证 {name} 成立 / {name} proves what it says"
            check_voucher(r, H, public, read_json(read(name)))
    if files: yield "-- 未检查的其他文件 / other files, ignored: " + ", ".join(files)
    label = "监督机构可复核 / auditors can verify" if sealed else "公开可验证 / publicly verifiable"
    yield "-- " + (label if r["sources"] else "内部可复核，不能证明结果未被挑选 / internal only, no proof against selection")
def voucher(file, folder):
    yield "公开文件合规 / the public folder is well-formed"
    data, public = (folder / "round.json").read_bytes(), read_json((folder / "public.json").read_bytes())
    (r, sealed, H), tasks = read_round(data), keys(public, "round_digest result_commit sources tasks")["tasks"]
    need(sealed and public["round_digest"] == H(data).hex() and raw(public["result_commit"]), "not of this sealed round")
    need(set(tasks) == {task["task"] for task in r["tasks"]}, "not the round's tasks")
    for t in tasks.values(): count(keys(t, "count ticket_root drawn_root")["count"]), raw(t["ticket_root"]), raw(t["drawn_root"])
    check_values(r, public["sources"])
    yield "凭证成立：在承诺的名录内，抽取号固定，已被抽中 / in the committed pool, ticket fixed, drawn"
    check_voucher(r, H, public, read_json(file.read_bytes()))
    yield f"-- 请与日志核对 / compare with the log: round_digest {public['round_digest']} result_commit {public['result_commit']}"
def main(argv, out=sys.stdout):  # prints a line per check; 0 when all are OK, 1 after a FAIL, 2 when called wrongly
    if len(argv) not in (1, 2): return print(__doc__, file=out) or 2
    first, second, title = pathlib.Path(argv[0]), argv[1] if len(argv) == 2 else None, None
    checks = voucher(first, pathlib.Path(second)) if second and pathlib.Path(second).is_dir() else bundle(first, second)
    def say(line): print("".join(c if c.isprintable() else "?" for c in line), file=out)
    try:
        for line in checks:  # the next line says that the check before it went well
            if title: say("OK    " + title)
            title = None if line.startswith("--") else line
            if not title: say(line)
    except Exception as error:  # whatever is wrong with a file, the answer is a FAIL line, never a traceback
        return say(f"FAIL  {title}: {str(error)[:200] or type(error).__name__}") or 1
    return 0
if __name__ == "__main__": sys.exit(sys.stdout.reconfigure(errors="replace") or main(sys.argv[1:]))
