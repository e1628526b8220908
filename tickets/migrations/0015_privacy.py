"""How long data is kept, requests to erase it, and an audit whose values go by one path only."""

import django.core.validators
import django.utils.timezone
import tickets.ids
from django.db import migrations, models

AUDIT = """
CREATE OR REPLACE FUNCTION tickets_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- One change alone is possible: tickets_audit_erase empties values. Who did what to which record stays for good.
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'tickets_auditvalue' THEN
        IF current_setting('tickets.erasure', true) = 'on'
            AND NEW.before IN ('', '[erased]') AND NEW.after IN ('', '[erased]')
            AND (NEW.id, NEW.entry_id, NEW.field, NEW.created_at) = (OLD.id, OLD.entry_id, OLD.field, OLD.created_at)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON tickets_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_append_only();
CREATE TRIGGER audit_value_no_truncate BEFORE TRUNCATE ON tickets_auditvalue
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_append_only();
-- The one path by which values go: those of these entries, to a mark that says so.
CREATE FUNCTION tickets_audit_erase(entries uuid[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    emptied integer;
BEGIN
    PERFORM set_config('tickets.erasure', 'on', true);
    UPDATE tickets_auditvalue
        SET before = CASE before WHEN '' THEN '' ELSE '[erased]' END,
            after = CASE after WHEN '' THEN '' ELSE '[erased]' END
        WHERE entry_id = ANY (entries) AND (before NOT IN ('', '[erased]') OR after NOT IN ('', '[erased]'));
    GET DIAGNOSTICS emptied = ROW_COUNT;
    PERFORM set_config('tickets.erasure', '', true);
    RETURN emptied;
END $$;
"""
AUDIT_REVERSE = """
DROP FUNCTION tickets_audit_erase(uuid[]);
DROP TRIGGER audit_value_no_truncate ON tickets_auditvalue;
DROP TRIGGER audit_entry_no_truncate ON tickets_auditentry;
CREATE OR REPLACE FUNCTION tickets_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'tickets_auditvalue' AND current_setting('tickets.erasure', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0014_jobs"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                ("id", models.UUIDField(default=tickets.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("email_hash", models.CharField(db_index=True, editable=False, max_length=64)),
                (
                    "pseudonym",
                    models.CharField(editable=False, help_text="What their records are called now.", max_length=16),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done")], default="running", max_length=8
                    ),
                ),
                ("counts", models.JSONField(blank=True, default=dict, help_text="Rows by table.")),
                ("done_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                ("id", models.UUIDField(default=tickets.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("conversations", "Closed conversations"),
                            ("tickets", "Closed tickets"),
                            ("traces", "What steps and tools were given and answered"),
                            ("tasks", "Background tasks"),
                            ("attachments", "Images sent with messages"),
                            ("unsent", "Images no message took"),
                            ("mails", "Mails the demo sent"),
                            ("codes", "E-mailed codes"),
                            ("links", "Links from mails into a thread"),
                            ("sessions", "Browser sessions that are over"),
                            ("alerts", "Alerts that are over"),
                            ("addresses", "Daily totals of addresses on the net"),
                            ("audit_values", "Values in the audit"),
                        ],
                        max_length=16,
                        unique=True,
                    ),
                ),
                (
                    "days",
                    models.PositiveIntegerField(
                        help_text="Counted from the end of its use.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "retention",
                "ordering": ["kind"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("days__gte", 1)), name="retention_a_day_at_least")
                ],
            },
        ),
        migrations.RunSQL(AUDIT, AUDIT_REVERSE),
    ]
