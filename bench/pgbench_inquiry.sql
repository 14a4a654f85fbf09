-- One bank inquiry. The code is looked up in the same statement: pgbench cannot compute one.
\set id random(:first, :last)
SELECT payments_inquire(ROW(
  (SELECT payment_code FROM payments_bill WHERE id = :id), :partner, now(), 'pgbench-inquiry',
  '/api/payments/v1/inquiries', '127.0.0.1'::inet)::payments_question);
