"""What only the database can hold: the sum of refunds, an audit that stays, numbers without races, one open code."""

from django.db import migrations

REFUND_SUM = """
-- The order's own trigger computes the sum, so no writer (a stale save included) can put another figure there. Its row
-- is locked before the trigger runs, and the query inside sees what was committed meanwhile.
CREATE FUNCTION tickets_order_refunded_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.refunded_total := (
        SELECT coalesce(sum(amount), 0) FROM tickets_refund WHERE order_id = NEW.id AND status <> 'rejected'
    );
    RETURN NEW;
END $$;
CREATE TRIGGER order_refunded_total BEFORE INSERT OR UPDATE OF refunded_total, paid_total ON tickets_order
    FOR EACH ROW EXECUTE FUNCTION tickets_order_refunded_total();

CREATE FUNCTION tickets_refund_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE tickets_order SET refunded_total = refunded_total WHERE id = OLD.order_id;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.order_id <> OLD.order_id) THEN
        UPDATE tickets_order SET refunded_total = refunded_total WHERE id = NEW.order_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refund_changed AFTER INSERT OR DELETE OR UPDATE OF amount, status, order_id ON tickets_refund
    FOR EACH ROW EXECUTE FUNCTION tickets_refund_changed();
"""
REFUND_SUM_REVERSE = """
DROP TRIGGER refund_changed ON tickets_refund;
DROP FUNCTION tickets_refund_changed();
DROP TRIGGER order_refunded_total ON tickets_order;
DROP FUNCTION tickets_order_refunded_total();
"""

AUDIT = """
CREATE FUNCTION tickets_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasure empties values (SET LOCAL tickets.erasure = 'on'); who did what to which record stays for good.
    IF TG_TABLE_NAME = 'tickets_auditvalue' AND current_setting('tickets.erasure', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON tickets_auditentry
    FOR EACH ROW EXECUTE FUNCTION tickets_append_only();
CREATE TRIGGER audit_value_append_only BEFORE UPDATE OR DELETE ON tickets_auditvalue
    FOR EACH ROW EXECUTE FUNCTION tickets_append_only();
"""
AUDIT_REVERSE = """
DROP TRIGGER audit_value_append_only ON tickets_auditvalue;
DROP TRIGGER audit_entry_append_only ON tickets_auditentry;
DROP FUNCTION tickets_append_only();
"""

# Imported and demo records keep their own, lower numbers.
NUMBERS = """
CREATE SEQUENCE tickets_ticket_number START 50001;
CREATE SEQUENCE tickets_return_number START 500001;
"""
NUMBERS_REVERSE = "DROP SEQUENCE tickets_ticket_number; DROP SEQUENCE tickets_return_number;"

ONE_CODE = """
CREATE UNIQUE INDEX verification_one_open_per_conversation ON tickets_verification (conversation_id)
    WHERE state = 'requested';
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUND_SUM, REFUND_SUM_REVERSE),
        migrations.RunSQL(AUDIT, AUDIT_REVERSE),
        migrations.RunSQL(NUMBERS, NUMBERS_REVERSE),
        migrations.RunSQL(ONE_CODE, "DROP INDEX verification_one_open_per_conversation;"),
    ]
