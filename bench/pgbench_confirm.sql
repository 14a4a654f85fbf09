-- One payment confirm; one in five repeats this client's one before, as the bank's load does.
\set chance random(1, 100)
\if :chance > 20 OR :number = 0
\set number :number + 1
\set id :first + :client_id * :span + :number
\endif
SELECT payments_book(ROW(
  :partner, 'agribank', :run || 'k' || :client_id || '-' || :number, repeat('0', 64),
  :run || 'r' || :client_id || '-' || :number,
  (SELECT amount FROM payments_bill WHERE id = :id), now(), 'qr', '', '',
  ARRAY[(SELECT payment_code::text FROM payments_bill WHERE id = :id)],
  gen_random_uuid(), md5(random()::text), now(), 'pgbench-confirm',
  '/api/payments/v1/payments', '127.0.0.1'::inet, NULL)::payments_report);
