-- A desk of ninety days, made by the database itself. Statements end with a line of two dashes; the parameters are how
-- many conversations and steps. Every random choice is drawn once, into temporary tables, so that rows agree.
SELECT setseed(0.42)
--
CREATE FUNCTION pg_temp.id_at(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
            || '8' || substr(md5(random()::text), 1, 15))::uuid
$$
--
CREATE FUNCTION pg_temp.pick(among text[], u float) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT among[1 + floor(u * 0.999999 * array_length(among, 1))::int]
$$
--
-- Which tool a turn's step calls: the model call before it names the same.
CREATE FUNCTION pg_temp.tool_at(turn int, step int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT (ARRAY['search_knowledge_base', 'search_knowledge_base', 'search_knowledge_base', 'search_knowledge_base',
                  'lookup_order', 'lookup_order', 'lookup_order', 'lookup_order', 'lookup_order', 'track_shipment',
                  'track_shipment', 'track_shipment', 'lookup_customer', 'lookup_customer', 'request_return',
                  'request_refund', 'cancel_order', 'report_delivery_problem', 'update_customer', 'create_ticket',
                  'verify_identity', 'escalate_to_human'])[1 + (hashint4(turn * 31 + step) & 2147483647) %% 22]
$$
--
CREATE TEMP TABLE bench_customer AS
SELECT n, pg_temp.id_at(now() - interval '1 year' + n * interval '1 minute') AS id,
       (ARRAY['free', 'free', 'free', 'free', 'free', 'free', 'plus', 'plus', 'plus', 'enterprise'])[1 + n %% 10] AS plan
FROM generate_series(1, greatest(100, %(conversations)s / 6)) n
--
INSERT INTO tickets_customer (id, created_at, email, name, phone, shipping_address, plan, status, locale, marketing_opt_in)
SELECT id, now() - interval '1 year', 'customer' || n || '@example.com',
       pg_temp.pick(ARRAY['Ada', 'Ben', 'Chloe', 'David', 'Esther', 'Finn', 'Grace', 'Hugo'], random()) || ' '
       || pg_temp.pick(ARRAY['Alvarez', 'Berg', 'Carter', 'Dubois', 'Eriksen', 'Fox', 'Grant', 'Hale'], random()),
       '', '12 Fir Street', plan, 'active', 'en', false
FROM bench_customer
--
-- Conversations: by day at random, by hour as people write.
CREATE TEMP TABLE bench_conversation AS
SELECT row_number() OVER (ORDER BY at) AS n, pg_temp.id_at(at) AS id, at, who, fate, u,
       pg_temp.pick(ARRAY['order status', 'order status', 'order status', 'delivery', 'delivery', 'return', 'return',
                          'refund', 'refund', 'invoice', 'sign-in', 'password', 'watch sync', 'warranty', 'address change',
                          'cancellation', 'gift card', 'size advice', 'damaged item', 'price', 'newsletter', 'unclear'],
                    random()) AS topic,
       CASE WHEN who >= 0.35 THEN 1 + floor(power(random(), 2) * (SELECT count(*) - 1 FROM bench_customer))::int
       END AS customer_n
FROM (
    SELECT CASE WHEN at > now() - interval '3 minutes' THEN at - interval '1 day' ELSE at END AS at,
           random() AS who, random() AS fate, random() AS u
    FROM (
        SELECT date_trunc('day', now()) - floor(random() * 90) * interval '1 day' + random() * interval '1 hour'
               + (ARRAY[0, 3, 6, 7, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 18, 19, 20,
                        20, 21, 22])[1 + floor(random() * 30)::int] * interval '1 hour' AS at
        FROM generate_series(1, %(conversations)s)
    ) drawn
) moved
--
CREATE TEMP TABLE bench_turn AS
SELECT row_number() OVER (ORDER BY c.at, place) AS n, c.n AS conversation_n, c.id AS conversation_id, place, place = turns AS is_last,
       turns, c.topic, c.fate, c.customer_n, pg_temp.id_at(c.at + later) AS id, least(c.at + later, now()) AS at, path_u, state_u,
       CASE WHEN c.customer_n IS NULL THEN CASE WHEN c.u < 0.02 THEN 'background' ELSE 'anonymous' END
            WHEN p.plan = 'plus' THEN 'paying' WHEN p.plan = 'enterprise' THEN 'enterprise' ELSE 'signed_in'
       END AS surface
FROM bench_conversation c
LEFT JOIN bench_customer p ON p.n = c.customer_n
CROSS JOIN LATERAL (SELECT least(12, 1 + floor(-ln(1 - random() + 0 * c.n) * 2.466))::int AS turns) k
CROSS JOIN LATERAL (
    SELECT place, (place - 1) * interval '150 seconds' * (0.4 + random()) AS later, random() AS path_u, random() AS state_u
    FROM generate_series(1, turns) place
) t
--
ALTER TABLE bench_turn ADD path text, ADD tier int, ADD steps int, ADD state text
--
UPDATE bench_turn SET
    path = CASE WHEN path_u < 0.38 THEN 'fast' ELSE 'planned' END,
    tier = CASE WHEN path_u < 0.55 THEN 1 WHEN path_u < 0.92 THEN 2 ELSE 3 END,
    state = CASE WHEN state_u < 0.012 THEN 'failed' WHEN is_last AND fate < 0.13 THEN 'escalated' ELSE 'answered' END
--
-- Exactly as many steps as asked for: each turn's weight, rounded along the running sum. Turns have 3 to 25.
UPDATE bench_turn SET steps = s.steps FROM (
    SELECT n, greatest(3, floor(run * scale)::int - floor((run - weight) * scale)::int) AS steps
    FROM (
        SELECT n, weight, sum(weight) OVER (ORDER BY n) AS run, %(steps)s / sum(weight) OVER () AS scale
        FROM (
            SELECT n, CASE WHEN path = 'fast' THEN 3 + (path_u < 0.10)::int * 2
                           ELSE least(25, 5 + floor(-ln(1 - random()) * 3.6)) END AS weight
            FROM bench_turn
        ) weighed
    ) summed
) s WHERE s.n = bench_turn.n
--
CREATE TEMP TABLE bench_step AS
SELECT turn_n, turn_id, conversation_id, i, count, kind, model, tool, asks,
       CASE kind
           WHEN 'critic' THEN CASE WHEN i < count - 1 THEN 'failed' ELSE 'ok' END
           WHEN 'guard' THEN CASE WHEN u < 0.3 THEN 'flagged' ELSE 'ok' END
           WHEN 'observe' THEN 'continue' WHEN 'escalate' THEN 'escalated' WHEN 'error' THEN 'failed'
           WHEN 'tool_call' THEN CASE
               WHEN u < CASE tool WHEN 'track_shipment' THEN 0.09 ELSE 0.02 END THEN 'error' WHEN u < 0.10 THEN 'degraded'
               WHEN u < 0.14 THEN 'not_found' WHEN u < 0.16 THEN 'needs_verification'
               WHEN u < 0.165 THEN 'invalid_arguments'
               WHEN tool IN ('request_return', 'request_refund', 'cancel_order', 'update_customer',
                             'report_delivery_problem') THEN 'pending_confirmation' ELSE 'success' END
           ELSE CASE WHEN u < 0.008 THEN 'failed' WHEN u < 0.011 THEN 'cut' ELSE 'ok' END
       END AS status,
       CASE WHEN model = '' THEN 0 WHEN kind = 'plan' THEN 1100 + (v * 900)::int ELSE 150 + (v * 900)::int END AS input_tokens,
       CASE WHEN model = '' THEN 0 WHEN kind = 'plan' THEN 90 + (u * 90)::int ELSE 30 + (v * v * 420)::int END AS output_tokens,
       CASE WHEN model = '' OR kind = 'plan' OR u > 0.93 THEN 0 ELSE 3340 + i * 380 END AS cache_read,
       CASE WHEN model = '' OR kind = 'plan' THEN 0 WHEN u > 0.93 THEN 3340 ELSE (v * 600)::int END AS cache_write,
       CASE WHEN model LIKE '%%haiku%%' THEN (450 * spread)::int + 80 WHEN model LIKE '%%sonnet%%' THEN (1300 * spread)::int + 150
            WHEN model <> '' THEN (2400 * spread)::int + 250
            WHEN kind = 'tool_call' THEN (CASE tool WHEN 'track_shipment' THEN 240 WHEN 'search_knowledge_base' THEN 22
                                          ELSE 9 END * spread * spread)::int + 2
            ELSE (v * 3)::int END AS duration_ms,
       CASE WHEN model <> '' THEN 0.25 + 0.25 * v END AS wait, at
FROM (
    SELECT t.n AS turn_n, t.id AS turn_id, t.conversation_id, i, t.steps AS count, t.at, random() AS u, random() AS v,
           exp((random() + random() + random() - 1.5) * 1.3) AS spread, kind,
           CASE WHEN kind = 'plan' THEN 'claude-haiku-5-5' WHEN kind = 'model_call'
                THEN (ARRAY['claude-haiku-5-5', 'claude-sonnet-5-5', 'claude-opus-5-5'])[t.tier] ELSE '' END AS model,
           CASE WHEN kind = 'tool_call' THEN pg_temp.tool_at(t.n::int, i) ELSE '' END AS tool,
           kind = 'model_call' AND i < t.steps - 2 AS asks
    FROM bench_turn t
    CROSS JOIN LATERAL generate_series(0, t.steps - 1) i
    CROSS JOIN LATERAL (SELECT CASE
        WHEN i = 0 THEN CASE t.path WHEN 'fast' THEN 'observe' ELSE 'plan' END
        WHEN i = t.steps - 1 THEN CASE t.state WHEN 'escalated' THEN 'escalate' WHEN 'failed' THEN 'error' ELSE 'critic' END
        WHEN i = t.steps - 2 THEN 'model_call'
        WHEN i = 1 AND t.steps %% 2 = 0 THEN 'guard'
        WHEN i = t.steps - 3 AND t.state_u > 0.93 THEN 'critic'
        WHEN (t.steps - 2 - i) %% 2 = 0 THEN 'model_call'
        ELSE 'tool_call' END AS kind) k
) drawn
--
ALTER TABLE bench_step ADD cost numeric(15, 9), ADD ended timestamptz
--
CREATE TEMP TABLE bench_priced AS
SELECT s.turn_n, s.turn_id, s.conversation_id, s.i, s.count, s.kind, s.model, s.tool, s.asks, s.status, s.input_tokens,
       s.output_tokens, s.cache_read, s.cache_write, s.duration_ms, (s.duration_ms * s.wait)::int AS ttft_ms,
       CASE WHEN model LIKE '%%haiku%%' THEN input_tokens * 0.10 + output_tokens * 0.50 + cache_write * 0.125 + cache_read * 0.01
            WHEN model LIKE '%%sonnet%%' THEN input_tokens * 2 + output_tokens * 10 + cache_write * 2.5 + cache_read * 0.1
            WHEN model <> '' THEN input_tokens * 4 + output_tokens * 20 + cache_write * 5 + cache_read * 0.2
            ELSE 0 END / 1000000.0 AS cost,
       least(now(), at + interval '40 ms' + interval '1 ms' * sum(duration_ms) OVER (PARTITION BY turn_n ORDER BY i)) AS ended
FROM bench_step s
--
INSERT INTO tickets_conversation (id, created_at, reference, identity, contact_email, channel, status, token_hash, address_hash,
    locale, topic, metadata, last_seq, last_message_at, closed_at, assignee_id, customer_id, team_id, customer_read_seq,
    awaits_customer, mailed_seq)
SELECT c.id, c.at,
       (SELECT substr(l, 1, 3) || '-' || substr(l, 4) FROM (SELECT string_agg(substr('234679ACDEFGHJKMNPQRTVWXYZ',
           1 + ((c.n * 7919 + 100003) / power(26, d)::bigint %% 26)::int, 1), '' ORDER BY d) AS l FROM generate_series(0, 5) d) x),
       CASE WHEN p.id IS NULL THEN '' ELSE 'session' END, '',
       CASE WHEN c.who < 0.35 AND c.u < 0.02 THEN 'task' WHEN c.u < 0.3 THEN 'widget' WHEN c.u < 0.4 THEN 'api' ELSE 'chat' END,
       CASE WHEN c.fate < 0.13 AND c.at > now() - interval '2 days' THEN CASE WHEN c.u < 0.4 THEN 'waiting' ELSE 'human' END
            WHEN c.at > now() - interval '6 hours' THEN 'ai' ELSE 'closed' END,
       md5(c.n::text), md5((c.n %% 9000)::text), 'en', c.topic, '{}', t.turns * 3, t.last_at,
       CASE WHEN c.at <= now() - CASE WHEN c.fate < 0.13 THEN interval '2 days' ELSE interval '6 hours' END
            THEN t.last_at + interval '1 hour' END,
       CASE WHEN c.fate < 0.13 AND c.u >= 0.4 AND c.at > now() - interval '2 days' THEN
            (SELECT user_id FROM tickets_staffprofile ORDER BY user_id LIMIT 1) END, p.id,
       CASE WHEN c.fate < 0.13 THEN (SELECT id FROM tickets_team ORDER BY slug OFFSET c.n %% 3 LIMIT 1) END,
       t.turns * 3, false, 0
FROM bench_conversation c
JOIN (SELECT conversation_n, count(*) AS turns, max(at) AS last_at FROM bench_turn GROUP BY 1) t ON t.conversation_n = c.n
LEFT JOIN bench_customer p ON p.n = c.customer_n
ORDER BY c.n
--
INSERT INTO support_agent_turn (id, created_at, surface, state, attempt, owner, stop_requested, path, topic, prompt_version,
    tools_offered, started_at, finished_at, first_text_at, step_count, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, cost_usd, cost_estimated, error, conversation_id, cautious, confidence, doubtful)
SELECT t.id, t.at, t.surface, t.state, 1, '', '', t.path, t.topic,
       CASE WHEN t.at < now() - interval '30 days' THEN '1' ELSE '2' END, '["search_knowledge_base", "lookup_order"]',
       t.at + interval '40 ms', s.ended, s.first_text, s.steps, s.input, s.output, s.read, s.written, s.cost, false,
       CASE t.state WHEN 'failed' THEN 'The model API is overloaded.' ELSE '' END, t.conversation_id, t.state_u > 0.99,
       CASE t.path WHEN 'planned' THEN 0.6 + 0.39 * t.path_u END, false
FROM bench_turn t
JOIN (
    SELECT turn_n, count(*) AS steps, sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cache_read) AS read,
           sum(cache_write) AS written, sum(cost) AS cost, max(ended) AS ended,
           max(ended - interval '1 ms' * (duration_ms - ttft_ms)) FILTER (WHERE kind = 'model_call') AS first_text
    FROM bench_priced GROUP BY 1
) s ON s.turn_n = t.n
ORDER BY t.at
--
INSERT INTO support_agent_step (id, created_at, index, attempt, kind, model, tool, input, output, status, error, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, cost_estimated, duration_ms, ttft_ms, turn_id)
SELECT pg_temp.id_at(ended), ended, i, 1, kind, model, tool,
       CASE kind WHEN 'tool_call' THEN jsonb_build_object('order_number', 'AP-' || lpad((turn_n %% 1000000)::text, 6, '0'))
                 WHEN 'model_call' THEN jsonb_build_object('messages', 2 + i, 'last', 'Where is my parcel? It should have come on Tuesday.')
                 ELSE '{}' END,
       CASE WHEN asks THEN jsonb_build_object('stop_reason', 'tool_use', 'content', jsonb_build_array(jsonb_build_object(
                    'type', 'tool_use', 'id', 'toolu_' || turn_n || '_' || i, 'name', pg_temp.tool_at(turn_n::int, i + 1),
                    'input', jsonb_build_object('order_number', 'AP-000001'))))
            WHEN kind = 'model_call' THEN jsonb_build_object('stop_reason', 'end_turn', 'content', jsonb_build_array(jsonb_build_object(
                    'type', 'text', 'text', 'Your parcel left our warehouse on 18 November 2026 and is with the carrier. It should arrive within two working days.')))
            WHEN kind = 'tool_call' THEN jsonb_build_object('status', status, 'carrier', 'Northern Post', 'state', 'in_transit')
            WHEN kind = 'critic' THEN jsonb_build_object('accepted', status = 'ok', 'words', 20 + turn_n %% 70)
            WHEN kind = 'escalate' THEN '{"reason": "unsure", "flagged": false}' ELSE '{}' END,
       status,
       CASE WHEN status = 'error' THEN pg_temp.pick(ARRAY['The carrier did not answer within 8 seconds.',
                    'Connection refused.', 'The answer was no JSON.'], random())
            WHEN status = 'failed' AND model <> '' THEN pg_temp.pick(ARRAY['overloaded_error: 529', 'rate_limit_error: 429',
                    'No first token within 20 seconds.'], random())
            WHEN kind = 'error' THEN 'The model API is overloaded.' ELSE '' END,
       input_tokens, output_tokens, cache_read, cache_write, cost, status = 'cut', duration_ms, ttft_ms, turn_id
FROM bench_priced ORDER BY ended
--
INSERT INTO support_agent_toolcall (id, created_at, tool, tool_use_id, arguments, idempotency_key, status, result, duration_ms,
    conversation_id, turn_id)
SELECT pg_temp.id_at(ended), ended, tool, 'toolu_' || turn_n || '_' || i - 1,
       jsonb_build_object('order_number', 'AP-' || lpad((turn_n %% 1000000)::text, 6, '0')), turn_n || ':' || i, status,
       jsonb_build_object('status', status), duration_ms, conversation_id, turn_id
FROM bench_priced WHERE kind = 'tool_call' ORDER BY ended
--
CREATE TEMP TABLE bench_message AS
SELECT t.n AS turn_n, t.conversation_id, t.place, side, pg_temp.id_at(t.at) AS id, t.id AS turn_id, t.topic,
       t.at + CASE side WHEN 1 THEN interval '0' ELSE interval '6 seconds' END AS at, t.state
FROM bench_turn t CROSS JOIN generate_series(1, 2) side
--
INSERT INTO tickets_message (id, created_at, role, author, text, html, turn_id, sources, attachments, seq, conversation_id)
SELECT id, at, CASE side WHEN 1 THEN 'customer' ELSE 'assistant' END, '',
       CASE side WHEN 1 THEN 'A question about ' || topic || ': could you please have a look, it is about number ' || turn_n || '.'
                 ELSE 'Your parcel left our warehouse and is with the carrier. It should arrive soon.' END,
       '<p>About ' || topic || '</p>', CASE side WHEN 2 THEN turn_id END, '[]', '[]', (place - 1) * 3 + side, conversation_id
FROM bench_message ORDER BY at
--
INSERT INTO tickets_event (seq, type, payload, message_id, conversation_id, created_at)
SELECT (place - 1) * 3 + side, 'message', '{}', id, conversation_id, at FROM bench_message
UNION ALL
SELECT place * 3, 'turn', jsonb_build_object('turn_id', turn_id, 'state', state), NULL, conversation_id, at FROM bench_message WHERE side = 2
ORDER BY 6
--
INSERT INTO tickets_escalation (id, created_at, reason, summary, status, claimed_at, claimed_by_id, ended_at, due_at,
    conversation_id, team_id, announced_at, passed_by, first_reply_at)
SELECT pg_temp.id_at(at), at,
       pg_temp.pick(ARRAY['asked', 'asked', 'asked', 'asked', 'money', 'money', 'unsure', 'unsure', 'unsure', 'tool_failing',
                          'legal', 'budget', 'loop', 'safety', 'unverified', 'model_failing'], random()),
       'Wants to know about ' || topic || '.',
       CASE c.status WHEN 'waiting' THEN 'waiting' WHEN 'human' THEN 'claimed' ELSE pg_temp.pick(ARRAY['closed', 'closed',
            'handed_back'], random()) END,
       CASE WHEN c.status <> 'waiting' THEN at + wait END, CASE WHEN c.status <> 'waiting' THEN staff.user_id END,
       CASE WHEN c.status = 'closed' THEN at + wait * 4 END, at + interval '15 minutes', c.id, c.team_id, at, '[]',
       CASE WHEN c.status <> 'waiting' THEN at + wait * 1.2 END
FROM (
    SELECT c.*, last_message_at + interval '5 seconds' AS at, interval '1 minute' * (1 + 18 * random()) AS wait
    FROM tickets_conversation c WHERE c.team_id IS NOT NULL
) c
CROSS JOIN LATERAL (SELECT user_id FROM tickets_staffprofile ORDER BY user_id OFFSET (hashtext(c.reference) & 1) LIMIT 1) staff
--
INSERT INTO tickets_resolution (id, created_at, kind, conversation_id, staff_id, at, revoked_at)
SELECT pg_temp.id_at(at), at, CASE WHEN u < 0.4 THEN 'confirmed' ELSE 'assumed' END, id,
       CASE WHEN team_id IS NOT NULL THEN (SELECT user_id FROM tickets_staffprofile ORDER BY user_id LIMIT 1) END, at,
       CASE WHEN u > 0.78 THEN at + interval '1 day' END
FROM (SELECT *, closed_at AS at, random() AS u FROM tickets_conversation WHERE closed_at IS NOT NULL AND channel <> 'task') c
WHERE u < 0.82
--
INSERT INTO tickets_survey (id, created_at, state, rating, comment, answered_at, conversation_id)
SELECT pg_temp.id_at(closed_at), closed_at, CASE WHEN u < 0.25 THEN 'answered' ELSE 'requested' END,
       CASE WHEN u < 0.25 THEN pg_temp.pick(ARRAY['5', '5', '5', '4', '4', '3', '2', '1'], u * 4)::int END, '',
       CASE WHEN u < 0.25 THEN closed_at + interval '4 minutes' END, id
FROM (SELECT *, random() AS u FROM tickets_conversation WHERE closed_at IS NOT NULL AND channel <> 'task') c
--
INSERT INTO support_agent_spend (scope, key, period, spent_usd, reserved_usd)
SELECT 'system', 'all', to_char(date_trunc('hour', now()) AT TIME ZONE 'UTC', 'YYYYMMDDHH24'), coalesce(sum(cost_usd), 0), 0
FROM support_agent_turn WHERE created_at >= date_trunc('hour', now())
