-- One bank inquiry. The code is looked up in the same statement: pgbench cannot compute one.
\set id random(:first, :last)
SELECT * FROM payments_inquire(
  (SELECT payment_code FROM payments_bill WHERE id = :id), :partner, now(), 'pgbench-inquiry',
  '/api/payments/v1/inquiries', '127.0.0.1'::inet);
