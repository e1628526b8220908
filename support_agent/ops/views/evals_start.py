"""Starting an evaluation run from the list of runs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from support_agent.env import env
from support_agent.models import EvalRun
from support_agent.ops.gates import MANAGERS, staff_of, staff_only
from support_agent.ops.selectors.reading import amount, plain
from support_agent.runtime.eval_runs import DEMO, MODELS, MOST_REPEATS, CannotEvaluate, run_enqueue, suites
from support_agent.runtime.ratelimit import allow
from support_agent.runtime.replay import configured_models
from tickets.errors import DeskError, NotAllowed


@require_http_methods(["GET", "POST"])
@staff_only(*MANAGERS)
def start(request: HttpRequest) -> HttpResponse:
    """The form, as a page or (`?part=1`) for the list of runs; POST starts a run and shows it."""
    if request.method == "POST":
        try:
            return _start(request)
        except NotAllowed:
            raise
        except DeskError as refusal:
            return _form(request, refusal=refusal.message)
    return _form(request)


def _start(request: HttpRequest) -> HttpResponse:
    sent = {name: plain(request.POST.get(name, "")) for name in ("suite", "case", "model", "repeat", "budget_usd")}
    repeat, budget = sent["repeat"] or "1", amount(sent["budget_usd"])
    if not (repeat.isascii() and repeat.isdigit() and len(repeat) < 4):
        raise CannotEvaluate(f"A case can be run 1 to {MOST_REPEATS} times.")
    if sent["budget_usd"] and budget is None:
        raise CannotEvaluate("A budget is an amount of USD above nought, as 2.50.")
    model = sent["model"] or DEMO
    allow("eval_run", str(staff_of(request).pk))
    made = run_enqueue(
        kind=EvalRun.Kind.PAGE,
        suite=sent["case"] or sent["suite"],
        model=model,
        repeat=int(repeat),
        budget_usd=None if model == DEMO else budget,
        staff=staff_of(request),
    )
    messages.success(request, "The run has begun. A worker takes it up within seconds.")
    return redirect("evals_run", made.pk)


def models_offered() -> list[tuple[str, str]]:
    """(value, label): the demo model, and with a key the configured ones, together or each for everything."""
    demo = [(DEMO, "the demo model, free")]
    if env.demo_model:
        return demo
    each = [(name, f"{name} for everything") for name in dict.fromkeys(configured_models().values())]
    return [*demo, (MODELS, "the configured models, each for its size"), *each]


def _form(request: HttpRequest, *, refusal: str = "") -> HttpResponse:
    chosen = request.POST or request.GET
    themes, named = suites(), chosen.get("suite", "")
    context = {
        "desk_page": "evals",
        "title": "Start an evaluation run",
        "suites": themes,
        "models": models_offered(),
        "is_demo_only": env.demo_model,
        "chosen": chosen,
        "case": chosen.get("case", "") or ("" if named in ("", *themes) else named),
        "most_repeats": MOST_REPEATS,
        "refusal": refusal,
    }
    template = "ops/evals/start_form.html" if "part" in request.GET and not refusal else "ops/evals/start.html"
    return render(request, template, context, status=422 if refusal else 200)
