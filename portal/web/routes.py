"""Every route of the portal, in the order of the rail."""

from __future__ import annotations

from portal.web import checklists, directory, draw, evidence, follow_ups, forms, home, imports, library, login, paper, plan, plan_draft, publish, registers, review, unplaced, visits, year

ALL = [
    *login.ROUTES, *home.ROUTES, *plan.ROUTES, *plan_draft.ROUTES, *year.ROUTES, *draw.ROUTES, *visits.ROUTES, *forms.ROUTES, *paper.ROUTES, *review.ROUTES, *follow_ups.ROUTES, *publish.ROUTES,
    *evidence.ROUTES, *imports.ROUTES, *unplaced.ROUTES, *directory.ROUTES, *registers.ROUTES, *checklists.ROUTES, *library.ROUTES,
]  # fmt: skip
