"""Every route of the portal, in the order of the rail."""

from __future__ import annotations

from portal.web import accounts, audit, checklists, directory, draw, evidence, follow_ups, forms, home, imports, library, login, plan, plan_draft, publish, registers, review, second_factor, unplaced, visits, year

ALL = [
    *login.ROUTES, *second_factor.ROUTES, *accounts.ROUTES, *home.ROUTES, *plan.ROUTES, *plan_draft.ROUTES, *year.ROUTES, *draw.ROUTES, *visits.ROUTES, *forms.ROUTES, *review.ROUTES, *follow_ups.ROUTES, *publish.ROUTES,
    *evidence.ROUTES, *audit.ROUTES, *imports.ROUTES, *unplaced.ROUTES, *directory.ROUTES, *registers.ROUTES, *checklists.ROUTES, *library.ROUTES,
]  # fmt: skip
