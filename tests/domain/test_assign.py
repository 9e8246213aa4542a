"""Inspectors to visits."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.assign import assign, assign_file, parse_slots, refill, require_slots
from portal.domain.bundle import canonical
from portal.domain.errors import BadInput
from public_site.verify import verify
from tests import examples
from tests.shared import SHARED

KEY = "5a" * 32


def document(slots, caps=2, suite="sha256", key=KEY):
    people = {who for rows in slots.values() for candidates in rows for who in candidates}
    return {
        "suite": suite,
        "K": key,
        "slots": slots,
        "caps": dict.fromkeys(sorted(people), caps) if isinstance(caps, int) else caps,
    }


def h(text, key=KEY, suite="sha256"):
    return hashlib.new(suite, bytes.fromhex(key) + text.encode()).digest()


def test_assignments_are_those_of_the_vectors():
    path = SHARED / "design" / "vectors" / "vectors.json"
    if not path.exists():
        pytest.skip("the draw vectors are not here (set MINGCHA_SHARED)")
    cases = json.loads(path.read_bytes())["assign"]
    assert len(cases) == 4
    for case in cases:
        slots = canonical({key: case[key] for key in ("suite", "K", "slots", "caps")})
        assert assign_file(slots) == canonical({key: case[key] for key in ("assigned", "raised", "unfilled")})


# ---- order --------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_the_first_slot_takes_its_first_candidate_in_hashed_order(suite):
    people = [f"P{n}" for n in range(9)]
    found = assign(document({"V1": [people, people]}, suite=suite))
    order = sorted(people, key=lambda who: h(f"V1|{who}", suite=suite))
    assert found == {"assigned": {"V1": order[:2]}, "raised": {}, "unfilled": []}


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_slots_go_by_number_then_by_the_hash_of_their_visit(suite):
    visits = [f"V{n}" for n in range(6)]
    found = assign(document({visit: [[], []] for visit in visits}, caps={}, suite=suite))
    order = sorted(visits, key=lambda visit: h(visit, suite=suite))
    assert found["unfilled"] == [[visit, number] for number in (0, 1) for visit in order]


def test_the_two_suites_do_not_agree_by_chance():
    slots = {f"V{n}": [[f"P{m}" for m in range(12)]] * 2 for n in range(6)}
    assert assign(document(slots)) != assign(document(slots, suite="sm3"))


def test_nobody_sits_twice_on_a_visit():
    found = assign(document({"V1": [["A"], ["A"]]}))
    assert found == {"assigned": {"V1": ["A", None]}, "raised": {}, "unfilled": [["V1", 1]]}


def test_somebody_on_the_visit_moves_over_to_free_the_slot_that_another_can_take():
    first = min("AB", key=lambda who: h(f"V1|{who}"))
    found = assign(document({"V1": [["A", "B"], [first]]}))
    other = {"A": "B", "B": "A"}[first]
    assert found == {"assigned": {"V1": [other, first]}, "raised": {}, "unfilled": []}


def test_a_full_inspector_hands_over_a_slot_rather_than_leave_one_empty():
    # Whoever is first in V1 and V2 is capped at 1; C alone can sit where B also can.
    found = assign(document({"V1": [["A"], ["B", "C"]], "V2": [["D"], ["B"]]}, caps=1))
    assert found["assigned"] == {"V1": ["A", "C"], "V2": ["D", "B"]}
    assert found["unfilled"] == [] and found["raised"] == {}


def test_caps_rise_by_one_for_all_seen_when_nothing_else_helps():
    found = assign(document({"V1": [["A"], ["B"]], "V2": [["A"], ["B"]]}, caps=1))
    assert found == {"assigned": {"V1": ["A", "B"], "V2": ["A", "B"]}, "raised": {"A": 1, "B": 1}, "unfilled": []}


def test_a_cap_of_none_rises_too():
    assert assign(document({"V1": [["A"], ["B"]]}, caps=0))["raised"] == {"A": 1, "B": 1}


def test_a_candidate_met_on_the_visit_is_not_raised_by_that():
    found = assign(document({"V1": [["A"], ["A", "B"]], "V2": [["C"], ["B"]]}, caps=1))
    assert found["raised"].get("A", 0) == 0
    assert found["raised"] == {"B": 1}
    assert found["unfilled"] == []


# ---- invariants ---------------------------------------------------------------------------

people = [f"P{n}" for n in range(7)]
visit = st.lists(st.lists(st.sampled_from(people), unique=True, max_size=4), min_size=2, max_size=3)
instances = st.builds(
    lambda visits, caps, key, suite: {
        "suite": suite,
        "K": hashlib.sha256(b"%d" % key).hexdigest(),
        "slots": {f"R1_{n}": rows for n, rows in enumerate(visits)},
        "caps": dict(zip(people, caps, strict=True)),
    },
    st.lists(visit, min_size=1, max_size=12),
    st.lists(st.integers(0, 3), min_size=7, max_size=7),
    st.integers(0, 10**6),
    st.sampled_from(["sha256", "sha256", "sm3"]),
)


def most_seats(rows):
    """The largest number of slots of one visit that different people can fill: without caps visits are independent."""
    holder = {}

    def place(number, seen):
        for who in rows[number]:
            if who not in seen:
                seen.add(who)
                if who not in holder or place(holder[who], seen):
                    holder[who] = number
                    return True
        return False

    return sum(place(number, set()) for number in range(len(rows)))


@settings(max_examples=examples(200))
@given(instances)
def test_every_assignment_is_valid_maximal_and_the_same_as_the_verifiers(slots):
    found = assign(require_slots(slots))
    loads = dict.fromkeys(slots["caps"], 0)
    for name, rows in slots["slots"].items():
        seated = found["assigned"][name]
        assert all(who is None or who in rows[number] for number, who in enumerate(seated))
        present = [who for who in seated if who is not None]
        assert len(set(present)) == len(present) == most_seats(rows)
        for who in present:
            loads[who] += 1
    assert sorted(found["unfilled"]) == sorted(
        [name, number] for name, seated in found["assigned"].items() for number, who in enumerate(seated) if who is None
    )
    assert all(load <= slots["caps"][who] + found["raised"].get(who, 0) for who, load in loads.items())
    assert found == verify.assign(verify.hasher(slots["suite"]), slots)


def test_the_order_in_which_candidates_are_written_does_not_matter():
    slots = {f"V{n}": [people[n % 3 :], people[: n % 5 + 1]] for n in range(9)}
    turned = {name: [rows[0][::-1], rows[1][::-1]] for name, rows in reversed(slots.items())}
    assert assign(document(slots)) == assign(document(turned))


# ---- refusals -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"suite": "md5"}, "md5"),
        ({"K": KEY.upper()}, "K"),
        ({"more": 1}, "more"),
        ({"caps": []}, "caps"),
        ({"caps": {"A": 1}}, "“B”没有写明上限"),
        ({"caps": {"A": 1, "B": -1}}, "“B”的上限"),
        ({"caps": {"A": 1, "B": 1, "C D": 1}}, "C D"),
        ({"slots": {"V1": [["A"]]}}, "1 个席位"),
        ({"slots": {"V1": [["A", "A"], ["B"]]}}, "“A”重复"),
        ({"slots": {"V1": ["A", "B"]}}, "列表"),
        ({"slots": {"V1": {"0": ["A"], "1": ["B"]}}}, "列表"),
        ({"slots": {"V 1": [["A"], ["B"]]}}, "V 1"),
        ({"slots": {"V1": [[None], ["B"]]}}, "None"),
        ({"slots": []}, "slots"),
    ],
)
def test_slots_of_another_shape_are_refused(change, why):
    with pytest.raises(BadInput, match=why):
        parse_slots(canonical(document({"V1": [["A"], ["B"]]}) | change))


# ---- refill -------------------------------------------------------------------------------


def test_an_emptied_slot_is_filled_by_the_next_candidate_and_nothing_else_moves():
    slots = document({f"V{n}": [people, people] for n in range(3)}, caps=2)
    before = assign(slots)
    gone = before["assigned"]["V1"][0]
    after = refill(slots, before["assigned"], [("V1", 0)], absent=[gone])
    assert after["unfilled"] == [] and after["raised"] == {}
    changed = [
        (name, n)
        for name, row in after["assigned"].items()
        for n, who in enumerate(row)
        if who != before["assigned"][name][n]
    ]
    assert changed == [("V1", 0)]
    newcomer = after["assigned"]["V1"][0]
    assert newcomer not in (gone, before["assigned"]["V1"][1])
    loads = [who for row in before["assigned"].values() for who in row]
    free = [who for who in people if who != gone and loads.count(who) < 2 and who not in before["assigned"]["V1"]]
    assert newcomer == min(free, key=lambda who: h(f"V1|{who}"))


def test_a_refill_lowers_caps_by_what_each_holds_and_raises_only_then():
    slots = document({"V1": [["A"], ["B"]], "V2": [["A"], ["B", "C"]]}, caps={"A": 2, "B": 1, "C": 1})
    held = {"V1": ["A", "B"], "V2": ["A", "C"]}
    assert refill(slots, held, [("V2", 1)], absent=["C"]) == {
        "assigned": {"V1": ["A", "B"], "V2": ["A", "B"]},
        "raised": {"B": 1},
        "unfilled": [],
    }


def test_a_refill_without_candidates_leaves_the_slot_empty():
    slots = document({"V1": [["A"], ["A", "B"]]})
    found = refill(slots, {"V1": ["A", "B"]}, [("V1", 1)], absent=["B"])
    assert found == {"assigned": {"V1": ["A", None]}, "raised": {}, "unfilled": [["V1", 1]]}


def test_refilling_nothing_changes_nothing_and_the_input_is_left_alone():
    slots = document({"V1": [["A"], ["B"]]})
    held = {"V1": ["A", None]}
    assert refill(slots, held, []) == {"assigned": {"V1": ["A", None]}, "raised": {}, "unfilled": []}
    assert refill(slots, held, [("V1", 1)])["assigned"] == {"V1": ["A", "B"]}
    assert held == {"V1": ["A", None]}


@pytest.mark.parametrize("slot", [("V2", 0), ("V1", 2), ("V1", -1)])
def test_a_slot_that_does_not_exist_is_refused(slot):
    with pytest.raises(BadInput, match=slot[0]):
        refill(document({"V1": [["A"], ["B"]]}), {"V1": ["A", "B"]}, [slot])
