"""What the help centre lacks: questions nobody could answer, grouped."""

from __future__ import annotations

from django.db import models

from support_agent.models.tasks import Task
from support_agent.models.turns import Turn
from tickets.models import Article, Conversation
from tickets.models.base import Record


class Gap(Record):
    """One matter that is asked about. Its title, counts and times are those of its questions, so that nothing of them
    stays here when they are erased."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DRAFTED = "drafted", "Drafted"
        COVERED = "covered", "Covered"
        DISMISSED = "dismissed", "Dismissed"

    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, db_index=True)
    article = models.ForeignKey(Article, null=True, blank=True, on_delete=models.SET_NULL, related_name="gaps")
    task = models.OneToOneField(Task, null=True, blank=True, on_delete=models.SET_NULL, related_name="gap")
    sources = models.JSONField(
        default=list, blank=True, help_text="What the draft was made from: ids of conversations, addresses of articles."
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was covered or dismissed.")
    is_back = models.BooleanField(default=False, help_text="Asked again after an article had covered it.")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        head = self.questions.order_by("-centrality", "asked_at").first()
        return head.text[:80] if head else "A question that is gone"


class GapQuestion(Record):
    """What a customer asked in a turn that had no good answer, without what names a person. `vector` is float32,
    little-endian, of the embedder named; `centrality` is its mean cosine to the others of its gap."""

    class Why(models.TextChoices):
        NOTHING = "nothing", "nothing found"
        WEAK = "weak", "no article fits well"
        UNSURE = "unsure", "unsure"
        ESCALATED = "escalated", "handed over, unsure"
        DISLIKED = "disliked", "thumb down"
        WRONG = "wrong", "judged wrong"

    gap = models.ForeignKey(Gap, on_delete=models.CASCADE, related_name="questions")
    turn = models.OneToOneField(Turn, on_delete=models.CASCADE, related_name="gap_question")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="gap_questions")
    text = models.CharField(max_length=300)
    why = models.CharField(max_length=10, choices=Why.choices)
    asked_at = models.DateTimeField(db_index=True)
    vector = models.BinaryField()
    embedder = models.CharField(max_length=60)
    centrality = models.FloatField(default=0)

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return self.text[:80]
