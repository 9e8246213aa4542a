"""No sequence of rounds, riders, replacements, re-checks and lists drawn elsewhere exceeds a cap without a reason on record.

The machine draws with the real draw, combines with the real combination and asks the engine
at the freeze and at the dispatch; what holds is counted again from nothing, window by window.
"""

import hashlib
from datetime import date, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from portal.domain.caps import REASONS, Cap, Event, Pause, Peace, Rules, dispatch, find_refusal, find_refusals
from portal.domain.draw import draw_task, drawn_of, replacements
from portal.domain.pool import format_codes, format_pool, parse_codes
from portal.domain.visits import Place, combine
from tests import examples

CODES = [f"E{number:02d}" for number in range(8)]
PLACES = {code: Place(code, code, "", "S1", "镇") for code in CODES}
ITEMS = ("food.sales", "food.storage", "equipment.use", "registration.name")
FIRST = date(2025, 10, 1)
SOME = ("complaint", "assigned", "recheck")

RULES = Rules(
    caps=(
        Cap("all_year", "各级合计每年不超过 4 次", "all", 4, exempt=SOME),
        Cap("level_year", "各级每年不超过 2 次", "level", 2, exempt=SOME),
        Cap("together", "市县合计每年不超过 3 次", "level", 3, of=("city", "county")),
        Cap("item_half", "同一事项 6 个月不超过 1 次", "item", 1, window="months", n=6, exempt=("complaint",)),
        Cap("sector_two", "同一领域两年不超过 3 次", "sector", 3, window="years", n=2),
        Cap("drawn", "每年被抽中不超过 5 次", "all", 5, counts="draws", on_site=False, exempt=()),
    ),
    pauses=(Pause("upper", "上级已查", "upper", 3), Pause("post", "证后已查", "post_licence", 0)),
)
PEACE = {"E00": [Peace(date(2026, 1, 1), None, ("food",))]}

days = st.integers(0, 900).map(lambda n: FIRST + timedelta(n))
items = st.sampled_from(ITEMS)
reasons = st.sampled_from(["", "", "", *REASONS])


def key_of(label):
    return hashlib.sha256(label.encode()).digest()


class CappedHistory(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.histories = {code: [] for code in CODES}
        self.rounds = 0

    def let_in(self, wanted):
        admitted, refused = dispatch(RULES, self.histories, wanted, peace=PEACE)
        for code, event in admitted:
            if code in PEACE and event.on >= date(2026, 1, 1) and event.sector == "food":
                assert event.reason, "nobody on the list is disturbed without a reason"
            self.histories[code].append(event)
        return refused

    @rule(
        on=days, tasks=st.lists(st.tuples(items, st.lists(items, max_size=2)), min_size=1, max_size=3),
        count=st.integers(1, 5), struck=st.sets(st.sampled_from(CODES), max_size=3), level=st.sampled_from(["city", "county"]),
    )  # fmt: skip
    def a_round_is_drawn_replaced_and_dispatched(self, on, tasks, count, struck, level):
        self.rounds += 1
        name, bureau = f"R{self.rounds}", {"city": "350500", "county": "350582"}[level]
        key, wanted, picks = key_of(name), {}, []
        for number, (own, riders) in enumerate(tasks):
            task = f"T{number}"
            would = Event(on, own, own.split(".")[0], bureau, level, pick=f"{name}/{task}")
            excluded = format_codes(find_refusals(RULES, CODES, self.histories, would, peace=PEACE))
            passed_over = parse_codes(excluded) if excluded else []
            pool = format_pool((code, "*", 1) for code in CODES)
            entry = {"task": task, "pool_size": len(CODES), "rounding": "ceil", "minimum": 0, "reserve": 1}
            strata = draw_task("sha256", key, pool, passed_over, {"*": {"count": count}}, entry)
            drawn = set(drawn_of(strata))
            assert not drawn & {code.decode() for code in passed_over}
            for change in replacements("sha256", key, pool, passed_over, strata, struck):
                drawn.discard(change.struck)
                drawn |= {change.replacement} - {None}
            picks += [(task, code) for code in sorted(drawn)]
            wanted[task] = [own, *riders]
        for visit in combine(name, picks, PLACES, {}).visits:
            code = visit.place.code
            self.let_in(
                (code, Event(on, item, item.split(".")[0], bureau, level, visit.id, f"{name}/{task}"))
                for task in visit.tasks
                for item in wanted[task]
            )

    @rule(
        on=days, codes=st.lists(st.sampled_from(CODES), max_size=5), item=items, reason=reasons,
        level=st.sampled_from(["province", "city", "county"]), on_site=st.booleans(), post=st.booleans(),
    )  # fmt: skip
    def a_list_drawn_elsewhere_is_worked(self, on, codes, item, reason, level, on_site, post):
        self.let_in(
            (code, Event(on, item, item.split(".")[0], "350500", level, "", "external", on_site, reason, post)) for code in codes
        )

    @rule(code=st.sampled_from(CODES), on=days, item=items, reason=st.sampled_from(sorted(REASONS)))
    def somebody_complains(self, code, on, item, reason):
        event = Event(on, item, item.split(".")[0], "350582", "county", reason=reason)
        if reason == "complaint":  # it exempts from every cap here that this check could meet
            assert find_refusal(RULES, self.histories[code], event, peace=PEACE.get(code, ())) is None
        self.let_in([(code, event)])

    @invariant()
    def no_window_of_any_length_holds_too_many(self):
        for history in self.histories.values():
            for cap in RULES.caps:
                for group in groups_of(cap, history):
                    for begins, ends in all_windows(cap, group):
                        keys = {key for key, day in group if begins <= day < ends}
                        assert len(keys) <= cap.most, (cap.code, begins, sorted(group))


def groups_of(cap, history):
    """The (key, day) lists a cap counts, found from its words and not from the engine."""
    groups = {}
    for place, one in enumerate(history):
        value = {"item": one.item, "sector": one.sector, "bureau": one.bureau, "level": one.level, "all": "*"}[cap.scope]
        if one.reason in cap.exempt or (cap.on_site and not one.on_site) or (cap.counts == "draws" and one.pick == ""):
            continue
        if cap.of:
            if value not in cap.of:
                continue
            value = "+"
        name = one.pick if cap.counts == "draws" else one.visit or ("alone", place)
        groups.setdefault(value, []).append((str(name), one.on))
    return groups.values()


def all_windows(cap, group):
    years = {day.year for _, day in group}
    if cap.window == "year":
        return [(date(year, 1, 1), date(year, 12, 31) + timedelta(1)) for year in years]
    if cap.window == "years":
        return [(date(year - back, 1, 1), date(year - back + cap.n, 1, 1)) for year in years for back in range(cap.n)]
    found = []
    for _, day in group:
        month = day.month - 1 + cap.n
        until = day.day
        while True:  # the same day of the month, or the nearest before it
            try:
                found.append((day, date(day.year + month // 12, month % 12 + 1, until)))
                break
            except ValueError:
                until -= 1
    return found


TestCappedHistory = CappedHistory.TestCase
TestCappedHistory.settings = settings(max_examples=examples(60), stateful_step_count=25, deadline=None)
